"""Conversations, and the tenants' rules for them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from shared.db.base import JsonDocument, UtcDateTime

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "nlp_conversations",
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
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("rules_version", sa.String(length=16), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("moments", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nlp_conversations")),
    )
    op.create_index(
        op.f("ix_nlp_conversations_tenant_id"), "nlp_conversations", ["tenant_id", "created_at"]
    )
    op.create_table(
        "nlp_conversation_results",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("content", JsonDocument, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["nlp_conversations.id"],
            name=op.f("fk_nlp_conversation_results_request_id_nlp_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nlp_conversation_results")),
        sa.UniqueConstraint(
            "request_id", "position", name=op.f("uq_nlp_conversation_results_request_id_position")
        ),
    )
    op.create_table(
        "nlp_conversation_rules",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", JsonDocument, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nlp_conversation_rules")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_nlp_conversation_rules_tenant_id_number")
        ),
    )


def downgrade() -> None:
    op.drop_table("nlp_conversation_rules")
    op.drop_table("nlp_conversation_results")
    op.drop_table("nlp_conversations")
