"""A process whose database is not there yet waits for it."""

import asyncio
import time
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.revisions import SchemaOutdated, require_current_schema
from shared.logging import get_logger

SCHEMA_WAIT_S = 30.0
_RETRY_S = 0.5
_logger = get_logger(__name__)


async def wait_for_current_schema(
    engine: AsyncEngine, migrations: Path, *, timeout_s: float = SCHEMA_WAIT_S
) -> None:
    """Wait until the database answers, then require the schema that this code was written for.

    Raises:
        SchemaOutdated: At once; waiting does not migrate.
        Exception: The driver's own, when the database did not answer in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            await require_current_schema(engine, migrations)
        except SchemaOutdated:
            raise
        except Exception as error:
            if time.monotonic() + _RETRY_S > deadline:
                raise
            _logger.warning("database not reachable yet", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)
        else:
            return
