"""Alembic environment of the gateway's database."""

from gateway.db import call_tables, flag_tables  # noqa: F401 - their tables join the metadata
from gateway.db.tables import metadata
from shared.db.migrations import run_env

run_env(metadata)
