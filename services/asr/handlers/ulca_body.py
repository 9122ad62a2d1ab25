"""ULCA bodies, read without keeping a copy of the audio."""

from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request

from services.asr.handlers.common import from_base64
from services.asr.models.audio import AudioSource
from services.asr.schemas.ulca import AudioItem, Ulca
from shared.jsonbody import parse_json_object
from shared.openapi import validate
from shared.problem import SpeechgateError

Body = TypeVar("Body", bound=Ulca)


async def read_body(request: Request, body: type[Body]) -> Body:
    """The body; unlike `Request.body`, this keeps no copy for the life of the request.

    Raises:
        ValidationFailed: It does not fit the schema.
        SpeechgateError: It is no strict JSON object.
    """
    parts = [part async for part in request.stream()]
    return validate(body, parse_json_object(b"".join(parts)))


async def audio_sources(items: Sequence[AudioItem]) -> list[AudioSource]:
    """The recordings of a body.

    Raises:
        AudioRefused: Code `not_base64`; `errors` names the item.
    """
    sources: list[AudioSource] = []
    for index, item in enumerate(items):
        if item.audio_content is None:
            sources.append(AudioSource(uri=item.audio_uri))
            continue
        try:
            sources.append(AudioSource(content=await from_base64(item.audio_content)))
        except SpeechgateError as error:
            pointer = f"/audio/{index}/audioContent"
            error.members["errors"] = [{"pointer": pointer, "detail": error.detail}]
            raise
    return sources
