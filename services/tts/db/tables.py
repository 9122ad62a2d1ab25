"""`tts_requests` and `tts_results`."""

from sqlalchemy import Column, Float, Integer, String, Text

from shared.db.base import new_metadata
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
