"""Fakes for unit tests, kept beside the real things."""
