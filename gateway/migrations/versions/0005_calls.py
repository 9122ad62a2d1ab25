"""Recorded calls, their permissions, and the roles that hold these.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from shared.db.base import JsonDocument, UtcDateTime

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_PERMISSIONS = {
    "calls:read": "Read recorded calls and hear their coachable moments",
    "calls:write": "Analyze recorded calls and delete them",
}
_ROLES = {
    "organization_admin": ["calls:read", "calls:write"],
    "user": ["calls:read", "calls:write"],
    "api_client": ["calls:read", "calls:write"],
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("asr_id", sa.String(length=32), nullable=False),
        sa.Column("analysis_id", sa.String(length=32), nullable=True),
        sa.Column("rules_version", sa.String(length=32), nullable=True),
        sa.Column("recording_id", sa.String(length=32), nullable=True),
        sa.Column("details", JsonDocument, nullable=False),
        sa.Column("roles", JsonDocument, nullable=False),
        sa.Column("degraded", JsonDocument, nullable=False),
        sa.Column("timings", JsonDocument, nullable=False),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index("ix_calls_tenant_id", "calls", ["tenant_id", "id"])
    rows = {
        "permissions": [{"name": name, "description": text} for name, text in _PERMISSIONS.items()],
        "role_permissions": [
            {"role": role, "permission": permission}
            for role, permissions in _ROLES.items()
            for permission in permissions
        ],
    }
    for table, values in rows.items():
        op.bulk_insert(sa.table(table, *(sa.column(name) for name in values[0])), values)


def downgrade() -> None:
    """Undo."""
    for table, column in (("role_permissions", "permission"), ("permissions", "name")):
        named = sa.column(column, sa.String())
        op.execute(sa.delete(sa.table(table, named)).where(named.in_(list(_PERMISSIONS))))
    op.drop_table("calls")
