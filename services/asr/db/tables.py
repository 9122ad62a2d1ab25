"""`asr_requests` and `asr_results`."""

from sqlalchemy import Column, Float, Integer, String, Text

from shared.db.base import JsonDocument, new_metadata
from shared.db.requests import request_table, result_table

metadata = new_metadata()

asr_requests = request_table(
    "asr_requests",
    metadata,
    Column("language", String(35), nullable=False),
    Column("audio_seconds", Float, nullable=False),
    Column("segments", Integer, nullable=False),
)

asr_results = result_table(
    "asr_results",
    metadata,
    asr_requests,
    Column("transcript", Text, nullable=False),
    Column("words", JsonDocument, nullable=False),
    Column("utterances", JsonDocument, nullable=False),
    Column("alternatives", JsonDocument),
    Column("confidence", Float, nullable=False),
    Column("duration", Float, nullable=False),
)
