"""Tenants' lexicons."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import UtcDateTime

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "tts_lexicon",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("phrase", sa.String(length=400), nullable=False),
        sa.Column("alias", sa.String(length=800), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tts_lexicon")),
        sa.UniqueConstraint(
            "tenant_id",
            "language",
            "phrase",
            name=op.f("uq_tts_lexicon_tenant_id_language_phrase"),
        ),
    )
    op.create_index(op.f("ix_tts_lexicon_tenant_id"), "tts_lexicon", ["tenant_id", "id"])


def downgrade() -> None:
    op.drop_table("tts_lexicon")
