"""`nmt_…` for translation, `nlp_…` for the tasks that say something about a text."""

from sqlalchemy import Column, Integer, String, Text

from shared.db.base import JsonDocument, new_metadata
from shared.db.requests import request_table, result_table

metadata = new_metadata()

nmt_requests = request_table(
    "nmt_requests",
    metadata,
    Column("source_language", String(16), nullable=False),
    Column("target_language", String(16), nullable=False),
    Column("items", Integer, nullable=False),
    Column("sentences", Integer, nullable=False),
    Column("characters", Integer, nullable=False),
)

nmt_results = result_table(
    "nmt_results",
    metadata,
    nmt_requests,
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
)

nlp_requests = request_table(
    "nlp_requests",
    metadata,
    Column("task", String(32), nullable=False),
    Column("language", String(16)),
    Column("items", Integer, nullable=False),
    Column("characters", Integer, nullable=False),
)

nlp_results = result_table(
    "nlp_results",
    metadata,
    nlp_requests,
    Column("source", Text, nullable=False),
    Column("finding", JsonDocument, nullable=False),
)
