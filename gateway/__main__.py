"""`python -m gateway [serve|migrate]`."""

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import gateway.startup.kept_out  # isort: skip # noqa: F401 - before what would load them
from fastapi import FastAPI
from starlette.types import Lifespan

from gateway.db.schema import MIGRATIONS
from gateway.server.connection import HttpConnection
from gateway.settings import GatewaySettings
from shared.server import main

_GC_THRESHOLD = 50_000


def create_tuned_app() -> FastAPI:
    """The application, and the garbage collector set for it."""
    # Not at the top: a migration needs nothing of what serves, a second of imports.
    from gateway.main import create_app  # noqa: PLC0415

    app = create_app()
    app.router.lifespan_context = _tuned(app.router.lifespan_context)
    return app


def _tuned(lifespan: Lifespan[FastAPI]) -> Lifespan[FastAPI]:
    """Requests leave little garbage in cycles: collect rarely, and never what start-up made.

    Looking through all of that takes 100 ms, in which nobody is answered.
    """

    @asynccontextmanager
    async def tuned(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with lifespan(app) as state:
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD, 20, 20)
            yield state or {}

    return tuned


if __name__ == "__main__":
    main("gateway", create_tuned_app, GatewaySettings, MIGRATIONS, HttpConnection)
