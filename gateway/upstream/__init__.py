"""Replica choice and the HTTP client that talks to services."""
