"""The ASR service's application."""

from functools import partial

from fastapi import FastAPI

from services.asr.handlers import inference, languages, requests, transcribe
from services.asr.lifespan import open_context
from services.asr.settings import AsrSettings, load_settings
from shared.app import create_service_app


def create_app(settings: AsrSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    return create_service_app(
        name="asr",
        title="speechgate ASR service",
        settings=settings,
        open_context=partial(open_context, settings),
        routers=[inference.router, transcribe.router, requests.router, languages.router],
    )
