"""Permissions for known speakers, and the roles that hold them.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_PERMISSIONS = {
    "speakers:read": "See known speakers and recognize them",
    "speakers:write": "Manage known speakers",
}
_ROLES = {
    "organization_admin": ["speakers:read", "speakers:write"],
    "user": ["speakers:read", "speakers:write"],
    "api_client": ["speakers:read"],
}


def upgrade() -> None:
    """Apply."""
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
