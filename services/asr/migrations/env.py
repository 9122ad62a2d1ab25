"""Alembic's environment; see `shared.db.migrations`."""

from services.asr.db.tables import metadata
from shared.db.migrations import run_env

run_env(metadata)
