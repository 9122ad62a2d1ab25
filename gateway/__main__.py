"""`python -m gateway [serve|migrate]`."""

import gc

import gateway.startup.kept_out  # isort: skip # noqa: F401 - before what would load them
from fastapi import FastAPI

from gateway.db.schema import MIGRATIONS
from gateway.server.connection import HttpConnection
from gateway.settings import GatewaySettings
from shared.server import main

_GC_THRESHOLD = 50_000


def create_tuned_app() -> FastAPI:
    """The application, and the garbage collector set for it: requests leave few cycles."""
    # Not at the top: a migration needs nothing of what serves, a second of imports.
    from gateway.main import create_app  # noqa: PLC0415

    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    return create_app()


if __name__ == "__main__":
    main("gateway", create_tuned_app, GatewaySettings, MIGRATIONS, HttpConnection)
