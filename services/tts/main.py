"""The TTS service's application."""

from functools import partial

from fastapi import FastAPI

from services.tts.handlers import inference, requests, voices
from services.tts.lifespan import open_context
from services.tts.settings import TtsSettings, load_settings
from shared.app import create_service_app


def create_app(settings: TtsSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    return create_service_app(
        name="tts",
        title="speechgate TTS service",
        settings=settings,
        open_context=partial(open_context, settings),
        routers=[inference.router, requests.router, voices.router],
    )
