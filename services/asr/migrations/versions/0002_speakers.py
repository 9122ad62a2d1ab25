"""Known speakers with their encrypted voices, and the speakers of a transcript."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import JsonDocument, UtcDateTime

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("asr_results", sa.Column("speakers", JsonDocument, nullable=True))

    op.create_table(
        "asr_speakers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("consent_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asr_speakers")),
    )
    op.create_index(op.f("ix_asr_speakers_tenant_id"), "asr_speakers", ["tenant_id", "id"])

    op.create_table(
        "asr_speaker_prototypes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("speaker_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("speech_seconds", sa.Float(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["speaker_id"],
            ["asr_speakers.id"],
            name=op.f("fk_asr_speaker_prototypes_speaker_id_asr_speakers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asr_speaker_prototypes")),
    )
    op.create_index(
        op.f("ix_asr_speaker_prototypes_speaker_id"), "asr_speaker_prototypes", ["speaker_id"]
    )
    op.create_index(
        op.f("ix_asr_speaker_prototypes_tenant_id"),
        "asr_speaker_prototypes",
        ["tenant_id", "id"],
    )


def downgrade() -> None:
    op.drop_table("asr_speaker_prototypes")
    op.drop_table("asr_speakers")
    with op.batch_alter_table("asr_results") as batch:
        batch.drop_column("speakers")
