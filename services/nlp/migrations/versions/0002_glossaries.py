"""Glossaries of tenants."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import JsonDocument, UtcDateTime

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "nmt_glossaries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("source_language", sa.String(length=16), nullable=False),
        sa.Column("target_language", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("term_count", sa.Integer(), nullable=False),
        sa.Column("terms", JsonDocument, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nmt_glossaries")),
        sa.UniqueConstraint(
            "tenant_id",
            "source_language",
            "target_language",
            name=op.f("uq_nmt_glossaries_tenant_id_source_language_target_language"),
        ),
    )


def downgrade() -> None:
    op.drop_table("nmt_glossaries")
