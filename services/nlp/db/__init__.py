"""The tables of this service."""
