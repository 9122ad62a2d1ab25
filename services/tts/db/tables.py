"""`tts_requests` and `tts_results`; `tts_lexicon`."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from shared.db.base import UtcDateTime, new_metadata
from shared.db.requests import request_table, result_table

metadata = new_metadata()

tts_requests = request_table(
    "tts_requests",
    metadata,
    Column("language", String(16), nullable=False),
    Column("gender", String(8), nullable=False),
    Column("voice", String(32)),
    Column("speed", Float, nullable=False),
    Column("audio_format", String(8), nullable=False),
    Column("sampling_rate", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("duration_s", Float),
)

tts_results = result_table(
    "tts_results",
    metadata,
    tts_requests,
    Column("source", Text, nullable=False),
    Column("duration_s", Float, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
)

# The language is empty for an entry of every language.
tts_lexicon = Table(
    "tts_lexicon",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("phrase", String(400), nullable=False),
    Column("alias", String(800), nullable=False),
    Column("language", String(16), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
    UniqueConstraint("tenant_id", "language", "phrase"),
    Index(None, "tenant_id", "id"),
)
