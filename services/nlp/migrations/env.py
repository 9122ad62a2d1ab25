"""Alembic's entry: migrate the NLP service's tables."""

from services.nlp.db.tables import metadata
from shared.db.migrations import run_env

run_env(metadata)
