"""Spans of SQL statements: which operation on which table; never the statement or its values."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.telemetry.span import Kind, error_code, recording

_OPERATIONS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
_KEPT = "speechgate_span"
SYSTEM, OPERATION, TABLE = "db.system.name", "db.operation.name", "db.collection.name"
_WORD = 12


def trace_statements(engine: AsyncEngine) -> None:
    """Make each statement of a traced request a span from now on."""
    system = engine.dialect.name  # As OpenTelemetry's conventions name them.

    def begin(
        _connection: Any, _cursor: Any, statement: str, _values: Any, execution: Any, _many: Any
    ) -> None:
        parent = recording()
        if parent is None or execution is None:
            return
        operation = statement.lstrip()[:_WORD].partition(" ")[0].upper()
        if operation not in _OPERATIONS:
            return
        attributes = {SYSTEM: system, OPERATION: operation}
        table = _table_of(execution)
        if table is not None:
            attributes[TABLE] = table
        name = operation if table is None else f"{operation} {table}"
        # At the execution, so that statements of one connection cannot be confused.
        setattr(execution, _KEPT, parent.child(name, Kind.CLIENT, attributes))

    target = engine.sync_engine
    event.listen(target, "before_cursor_execute", begin)
    event.listen(target, "after_cursor_execute", _end)
    event.listen(target, "handle_error", _fail)


def _end(
    _connection: Any, _cursor: Any, _statement: str, _values: Any, execution: Any, _many: Any
) -> None:
    made = getattr(execution, _KEPT, None)
    if made is not None:
        made.end()


def _fail(failure: ExceptionContext) -> None:
    made = getattr(failure.execution_context, _KEPT, None)
    if made is not None:
        made.end(error_code(failure.original_exception))


def _table_of(execution: Any) -> str | None:
    """Of a statement that writes; one that reads may name several."""
    statement = getattr(getattr(execution, "compiled", None), "statement", None)
    name = getattr(getattr(statement, "table", None), "name", None)
    return name if isinstance(name, str) else None
