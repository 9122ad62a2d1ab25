"""The ASR service's application."""

from functools import partial

from fastapi import FastAPI

from services.asr.handlers import (
    calls,
    diarization,
    inference,
    languages,
    openai_audio,
    openai_models,
    requests,
    speakers,
    stream,
    transcribe,
    ulca,
    vad,
)
from services.asr.handlers.socketio_client import Client
from services.asr.lifespan import open_context
from services.asr.settings import AsrSettings, load_settings
from shared.app import create_service_app
from shared.asgi.socketio_app import PATH, SocketIoApp


def create_app(settings: AsrSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    app = create_service_app(
        name="asr",
        title="speechgate ASR service",
        settings=settings,
        open_context=partial(open_context, settings),
        body_bounds=dict.fromkeys(
            (transcribe.PATH, calls.PATH, *openai_audio.PATHS), settings.asr_max_upload_bytes
        ),
        routers=[
            inference.router,
            transcribe.router,
            requests.router,
            languages.router,
            vad.router,
            ulca.router,
            openai_audio.router,
            openai_models.router,
            diarization.router,
            speakers.router,
            calls.router,
            stream.router,
        ],
    )
    sessions = SocketIoApp(Client, settings)
    app.mount(PATH, sessions)
    app.state.health.drains.append(sessions.drain)
    return app
