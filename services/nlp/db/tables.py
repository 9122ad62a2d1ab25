"""`nmt_…` for translation, `nlp_…` for the tasks that say something about a text."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from shared.db.base import JsonDocument, UtcDateTime, new_metadata
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

nmt_glossaries = Table(
    "nmt_glossaries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("source_language", String(16), nullable=False),
    Column("target_language", String(16), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
    Column("term_count", Integer, nullable=False),
    Column("terms", JsonDocument, nullable=False),
    UniqueConstraint("tenant_id", "source_language", "target_language"),
)

nlp_conversations = request_table(
    "nlp_conversations",
    metadata,
    Column("language", String(16), nullable=False),
    Column("rules_version", String(16), nullable=False),
    Column("segments", Integer, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("moments", Integer, nullable=False),
)

nlp_conversation_results = result_table(
    "nlp_conversation_results",
    metadata,
    nlp_conversations,
    Column("content", JsonDocument, nullable=False),
)

# A version is never changed: what an analysis names must stay what it was.
nlp_conversation_rules = Table(
    "nlp_conversation_rules",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("document", JsonDocument, nullable=False),
    UniqueConstraint("tenant_id", "number"),
)
