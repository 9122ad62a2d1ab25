"""Alembic's entry: migrate the TTS service's tables."""

from services.tts.db.tables import metadata
from shared.db.migrations import run_env

run_env(metadata)
