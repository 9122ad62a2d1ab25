"""Alembic environment of the gateway's database."""

from gateway.db.tables import metadata
from shared.db.migrations import run_env

run_env(metadata)
