"""The ASR service's application."""

from functools import partial

from fastapi import FastAPI

from services.asr.handlers import (
    diarization,
    inference,
    languages,
    openai_audio,
    openai_models,
    requests,
    socketio_app,
    speakers,
    stream,
    transcribe,
    ulca,
    vad,
)
from services.asr.handlers.socketio_app import SocketIoApp
from services.asr.lifespan import open_context
from services.asr.settings import AsrSettings, load_settings
from shared.app import create_service_app


def create_app(settings: AsrSettings | None = None) -> FastAPI:
    """The application, from given settings or from the environment."""
    settings = settings or load_settings()
    app = create_service_app(
        name="asr",
        title="speechgate ASR service",
        settings=settings,
        open_context=partial(open_context, settings),
        body_bounds=dict.fromkeys(
            (transcribe.PATH, *openai_audio.PATHS), settings.asr_max_upload_bytes
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
            stream.router,
        ],
    )
    sessions = SocketIoApp(settings.stream_max_message_bytes, 2 * settings.stream_max)
    app.mount(socketio_app.PATH, sessions)
    app.state.health.drains.append(sessions.drain)
    return app
