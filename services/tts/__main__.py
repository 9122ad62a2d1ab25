"""`python -m services.tts [serve|migrate]`."""

from services.tts.lifespan import MIGRATIONS
from services.tts.main import create_app
from services.tts.settings import load_settings
from shared.server import main

main("services.tts", create_app, load_settings, MIGRATIONS)
