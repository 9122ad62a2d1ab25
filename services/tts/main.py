"""The TTS service's application."""

from functools import partial

from fastapi import FastAPI

from services.tts.handlers import (
    inference,
    lexicon,
    live,
    openai_speech,
    requests,
    speak,
    stream,
    ulca,
    voices,
)
from services.tts.handlers.socketio_client import Client
from services.tts.lifespan import open_context
from services.tts.settings import TtsSettings, load_settings
from shared.app import create_service_app
from shared.asgi.socketio_app import PATH, SocketIoApp


def create_app(settings: TtsSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    app = create_service_app(
        name="tts",
        title="speechgate TTS service",
        settings=settings,
        open_context=partial(open_context, settings),
        routers=[
            inference.router,
            stream.router,
            speak.router,
            ulca.router,
            openai_speech.router,
            requests.router,
            voices.router,
            lexicon.router,
            live.router,
        ],
    )
    sessions = SocketIoApp(Client, settings)
    app.mount(PATH, sessions)
    app.state.health.drains.append(sessions.drain)
    return app
