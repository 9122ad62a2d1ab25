"""Typed clients of the Triton models."""
