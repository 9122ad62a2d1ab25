"""`python -m services.asr [serve|migrate]`."""

from services.asr.lifespan import MIGRATIONS
from services.asr.main import create_app
from services.asr.settings import load_settings
from shared.server import main

main("services.asr", create_app, load_settings, MIGRATIONS)
