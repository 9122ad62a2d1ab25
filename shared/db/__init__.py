"""Async database access, alike on SQLite and PostgreSQL."""
