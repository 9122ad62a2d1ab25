"""Users, roles, sessions and plans; what keys may use, and their rotation.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.base import UtcDateTime

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# As they were when this revision was written; later ones change rows, not this list.
_PERMISSIONS = {
    "asr:infer": "Recognize speech",
    "asr:read": "Read stored recognitions",
    "tts:infer": "Synthesize speech",
    "tts:read": "Read stored syntheses",
    "nlp:infer": "Translate and analyze text",
    "nlp:read": "Read stored translations and analyses",
    "keys:own": "Manage one's own API keys",
    "keys:read": "See the organization's API keys",
    "keys:write": "Manage the organization's API keys",
    "users:read": "See the organization's users",
    "users:write": "Manage the organization's users",
    "organization:read": "See the organization and its plan",
    "organization:write": "Rename the organization",
    "flags:read": "See feature flags",
    "flags:evaluate": "Evaluate feature flags",
    "flags:write": "Synchronize feature flags",
    "*": "Everything inside the organization",
    "platform:admin": "Everything in every organization",
}
_INFERENCE = ["asr:infer", "asr:read", "tts:infer", "tts:read", "nlp:infer", "nlp:read"]
_ROLES = {
    "admin": ["*", "platform:admin"],
    "organization_admin": [
        *_INFERENCE,
        "keys:own",
        "keys:read",
        "keys:write",
        "users:read",
        "users:write",
        "organization:read",
        "organization:write",
        "flags:read",
        "flags:evaluate",
    ],
    "user": [*_INFERENCE, "keys:own", "organization:read"],
    "api_client": _INFERENCE,
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "permissions",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_permissions")),
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("per_hour", sa.Integer(), nullable=True),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("max_concurrent_per_key", sa.Integer(), nullable=True),
        sa.Column("max_concurrent_per_tenant", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("name", name=op.f("uq_plans_name")),
    )
    op.create_table(
        "roles",
        sa.Column("name", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_roles")),
    )
    op.create_table(
        "role_permissions",
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("permission", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission"],
            ["permissions.name"],
            name=op.f("fk_role_permissions_permission_permissions"),
        ),
        sa.ForeignKeyConstraint(
            ["role"], ["roles.name"], name=op.f("fk_role_permissions_role_roles")
        ),
        sa.PrimaryKeyConstraint("role", "permission", name=op.f("pk_role_permissions")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("tenant_id", sa.String(32), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("password_changed_at", UtcDateTime(), nullable=False),
        sa.Column("last_login_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["organizations.id"], name=op.f("fk_users_tenant_id_organizations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index(op.f("ix_users_tenant_id"), "users", ["tenant_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("user_agent", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_because", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["role"], ["roles.name"], name=op.f("fk_user_roles_role_roles")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("hmac", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hmac", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])
    # SQLite adds a column with its foreign key in this form only; PostgreSQL reads it too.
    for statement in (
        "ALTER TABLE organizations ADD COLUMN plan_id VARCHAR(32)"
        " CONSTRAINT fk_organizations_plan_id_plans REFERENCES plans (id)",
        "ALTER TABLE api_keys ADD COLUMN user_id VARCHAR(32)"
        " CONSTRAINT fk_api_keys_user_id_users REFERENCES users (id)",
    ):
        op.execute(statement)
    op.add_column("organizations", sa.Column("suspended_at", UtcDateTime(), nullable=True))
    op.create_index(op.f("ix_organizations_plan_id"), "organizations", ["plan_id"])
    op.add_column("api_keys", sa.Column("models", _JSON, nullable=True))
    op.add_column("api_keys", sa.Column("max_concurrent", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("rotated_from", sa.String(12), nullable=True))
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"])
    _fill()


def _fill() -> None:
    rows = {
        "permissions": [{"name": name, "description": text} for name, text in _PERMISSIONS.items()],
        "roles": [{"name": role} for role in _ROLES],
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
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_index(op.f("ix_api_keys_user_id"))
        for column in ("rotated_from", "max_concurrent", "models", "user_id"):
            batch.drop_column(column)
    with op.batch_alter_table("organizations") as batch:
        batch.drop_index(op.f("ix_organizations_plan_id"))
        for column in ("suspended_at", "plan_id"):
            batch.drop_column(column)
    for table in (
        "refresh_tokens",
        "user_roles",
        "sessions",
        "users",
        "role_permissions",
        "roles",
        "plans",
        "permissions",
    ):
        op.drop_table(table)
