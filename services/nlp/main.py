"""The NLP service's application."""

from functools import partial

from fastapi import FastAPI

from services.nlp.handlers import (
    analysis,
    annotation,
    conversation,
    erasing,
    glossaries,
    translation,
    transliteration,
    ulca,
)
from services.nlp.lifespan import open_context
from services.nlp.settings import NlpSettings, load_settings
from shared.app import create_service_app


def create_app(settings: NlpSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    return create_service_app(
        name="nlp",
        title="speechgate NLP service",
        settings=settings,
        open_context=partial(open_context, settings),
        routers=[
            translation.router,
            glossaries.router,
            transliteration.router,
            analysis.router,
            annotation.router,
            erasing.router,
            conversation.router,
            ulca.router,
        ],
    )
