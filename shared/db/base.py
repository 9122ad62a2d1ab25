"""What every table has in common: naming, UTC times, client-side ids."""

import os
import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

# Constraints need stable names, or a migration cannot drop them on every database.
NAMING_CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base; each deployable subclasses it with metadata of its own."""

    __abstract__ = True


def new_metadata() -> MetaData:
    """Metadata with the project's constraint names."""
    return MetaData(naming_convention=NAMING_CONVENTION)


class _JsonDocument(TypeDecorator[Any]):
    """JSON; in PostgreSQL the binary kind.

    PostgreSQL's part of SQLAlchemy is loaded where it is used only: it takes 2 MB.
    """

    impl = JSON
    cache_ok = True
    should_evaluate_none = True
    """As of JSON itself: None is a value, not an absent one."""

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415 - as said above

        return dialect.type_descriptor(JSONB())


JsonDocument = _JsonDocument()


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp that is aware and UTC on both sides; SQLite would read it back naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "naive datetime"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        """Return an aware UTC time."""
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)


def utc_now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as 32 hexadecimal digits: unique, and near its neighbours in an index."""
    milliseconds = time.time_ns() // 1_000_000
    value = bytearray(milliseconds.to_bytes(6, "big") + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    return value.hex()


def first_id_of(moment: datetime) -> str:
    """What the ids that `new_id` made before a moment sort below."""
    return f"{int(moment.timestamp() * 1000):012x}" + "0" * 20
