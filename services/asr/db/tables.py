"""Requests and results; known speakers and their voices; recordings of calls and their parts."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from shared.db.base import JsonDocument, UtcDateTime, new_metadata
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
    Column("speakers", JsonDocument),
)

asr_speakers = Table(
    "asr_speakers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("consent_at", UtcDateTime(), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("updated_at", UtcDateTime(), nullable=False),
    Index(None, "tenant_id", "id"),
)

# A voice is in `ciphertext`, by a key of its own that is in `wrapped_key`: see shared.crypto.
asr_speaker_prototypes = Table(
    "asr_speaker_prototypes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column(
        "speaker_id",
        String(32),
        ForeignKey(asr_speakers.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("speech_seconds", Float, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Index(None, "tenant_id", "id"),
)

# Its id is that of the request. The parts are encrypted by the key in `wrapped_key`.
asr_recordings = Table(
    "asr_recordings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False, index=True),
    Column("samples", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Index(None, "tenant_id", "id"),
)

asr_recording_chunks = Table(
    "asr_recording_chunks",
    metadata,
    Column(
        "recording_id",
        String(32),
        ForeignKey(asr_recordings.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("ciphertext", LargeBinary, nullable=False),
)
