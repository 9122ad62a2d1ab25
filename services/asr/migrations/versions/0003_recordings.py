"""Encrypted recordings of calls, in parts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import UtcDateTime

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "asr_recordings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asr_recordings")),
    )
    op.create_index(op.f("ix_asr_recordings_tenant_id"), "asr_recordings", ["tenant_id", "id"])
    op.create_index(op.f("ix_asr_recordings_expires_at"), "asr_recordings", ["expires_at"])

    op.create_table(
        "asr_recording_chunks",
        sa.Column("recording_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["asr_recordings.id"],
            name=op.f("fk_asr_recording_chunks_recording_id_asr_recordings"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "recording_id", "position", name=op.f("pk_asr_recording_chunks")
        ),
    )


def downgrade() -> None:
    op.drop_table("asr_recording_chunks")
    op.drop_table("asr_recordings")
