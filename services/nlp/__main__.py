"""`python -m services.nlp [serve|migrate]`."""

from services.nlp.lifespan import MIGRATIONS
from services.nlp.main import create_app
from services.nlp.settings import load_settings
from shared.server import main

main("services.nlp", create_app, load_settings, MIGRATIONS)
