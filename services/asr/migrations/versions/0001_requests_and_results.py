"""Recognition requests and their transcripts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import JsonDocument, UtcDateTime

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "asr_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("audio_seconds", sa.Float(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asr_requests")),
    )
    op.create_index(op.f("ix_asr_requests_tenant_id"), "asr_requests", ["tenant_id", "created_at"])

    op.create_table(
        "asr_results",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("transcript", sa.Text(), nullable=False),
        sa.Column("words", JsonDocument, nullable=False),
        sa.Column("utterances", JsonDocument, nullable=False),
        sa.Column("alternatives", JsonDocument, nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("duration", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["asr_requests.id"],
            name=op.f("fk_asr_results_request_id_asr_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asr_results")),
        sa.UniqueConstraint(
            "request_id", "position", name=op.f("uq_asr_results_request_id_position")
        ),
    )


def downgrade() -> None:
    op.drop_table("asr_results")
    op.drop_table("asr_requests")
