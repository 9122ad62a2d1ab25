"""`python -m gateway [serve|migrate]`."""

import gc

import gateway.startup.kept_out  # isort: skip # noqa: F401 - before what would load them
from fastapi import FastAPI

from gateway.db.schema import MIGRATIONS
from gateway.server.connection import HttpConnection
from gateway.settings import GatewaySettings
from shared.server import main

_GC_THRESHOLD = 50_000


def _create_tuned_app() -> FastAPI:
    # Not at the top: a migration needs nothing of what serves, a second of imports.
    from gateway.main import create_app  # noqa: PLC0415

    app = create_app()
    # Requests leave little garbage in cycles; collecting rarely, and never what start-up made,
    # takes two thirds off the slowest answers at half load.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    return app


if __name__ == "__main__":
    main("gateway", _create_tuned_app, GatewaySettings, MIGRATIONS, HttpConnection)
