"""A process whose database is not there yet, or not migrated yet, waits for it.

Processes and migrations start side by side, in whatever order: a process that ended at once would
be started again with growing pauses, and would take longer.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.revisions import SchemaOutdated, SchemaState, Standing, require_schema
from shared.logging import get_logger

_RETRY_S = 0.5
_logger = get_logger(__name__)


async def wait_for_schema(
    engine: AsyncEngine,
    migrations: Path,
    *,
    timeout_s: float,
    given_up: Callable[[], bool] = lambda: False,
) -> SchemaState:
    """Wait until the database answers and has what this code needs.

    Says once what it waits for, and again only when that changes. A schema of a later release is
    taken as it is.

    Args:
        engine: Of the database.
        migrations: Folder of the deployable's Alembic scripts.
        timeout_s: Longest wait; 0 asks once.
        given_up: Whether the process shall end: then it waits no longer.

    Raises:
        SchemaOutdated: It was not migrated in time.
        Exception: The driver's own, when the database did not answer in time.
    """
    started = time.monotonic()
    told = ""
    while True:
        try:
            state = await require_schema(engine, migrations)
        except Exception as error:
            left_s = timeout_s - (time.monotonic() - started)
            if left_s < _RETRY_S or given_up():
                raise
            # Messages of drivers name hosts and users; that of an old schema, revisions.
            outdated = isinstance(error, SchemaOutdated)
            reason = str(error) if outdated else f"no answer: {type(error).__name__}"
            # What a driver raises changes while a server starts; what is waited for does not.
            kind = "migration" if outdated else "database"
            if kind != told:
                _logger.warning(
                    "waiting for the database", until=kind, reason=reason, at_most_s=round(left_s)
                )
                told = kind
            await asyncio.sleep(_RETRY_S)
            continue
        if told:
            waited_s = round(time.monotonic() - started, 1)
            _logger.info("the database is ready", waited_s=waited_s)
        if state.standing is Standing.NEWER:
            _logger.warning(
                "the schema is of a later release", found=state.found, known=state.expected
            )
        return state
