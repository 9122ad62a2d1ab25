"""`python -m services.nlp [serve|migrate]`."""

from fastapi import FastAPI

from services.nlp.db.schema import MIGRATIONS
from services.nlp.settings import load_settings
from shared.server import main


def _create_app() -> FastAPI:
    # Not at the top: a migration needs nothing of what serves, more than a second of imports.
    from services.nlp.main import create_app  # noqa: PLC0415

    return create_app()


main("services.nlp", _create_app, load_settings, MIGRATIONS)
