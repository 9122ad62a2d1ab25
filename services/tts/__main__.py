"""`python -m services.tts [serve|migrate]`."""

from fastapi import FastAPI

from services.tts.db.schema import MIGRATIONS
from services.tts.settings import load_settings
from shared.server import main


def _create_app() -> FastAPI:
    # Not at the top: a migration needs nothing of what serves, more than a second of imports.
    from services.tts.main import create_app  # noqa: PLC0415

    return create_app()


main("services.tts", _create_app, load_settings, MIGRATIONS)
