"""Feature flags and their evaluations.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.base import UtcDateTime

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "feature_flag_evaluations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("flag_name", sa.String(100), nullable=False),
        sa.Column("environment", sa.String(50), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("targeting_key", sa.String(64), nullable=False),
        sa.Column("value", _JSON, nullable=False),
        sa.Column("variant", sa.String(100), nullable=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("evaluated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_flag_evaluations")),
    )
    op.create_index(
        op.f("ix_feature_flag_evaluations_flag_time"),
        "feature_flag_evaluations",
        ["flag_name", "evaluated_at"],
    )
    op.create_index(
        op.f("ix_feature_flag_evaluations_tenant_time"),
        "feature_flag_evaluations",
        ["tenant_id", "evaluated_at"],
    )
    op.create_table(
        "feature_flags",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("environment", sa.String(50), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("definition", _JSON, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("synced_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "environment", name=op.f("pk_feature_flags")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("feature_flags")
    op.drop_table("feature_flag_evaluations")
