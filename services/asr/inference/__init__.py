"""Typed clients of the Triton models that the service uses."""
