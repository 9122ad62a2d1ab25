"""`POST /v1/audio/speech`: OpenAI's dialect of the same engine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.handlers.streamed import streamed
from services.tts.schemas.openai import SpeechBody
from services.tts.schemas.stream import BareAudio, Framing, OpenAiEvents
from services.tts.services.openai_names import OpenAiNames
from shared.asgi.caller import caller_with
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["tts"])
PATH = "/v1/audio/speech"
_AUDIO = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    PATH,
    summary="Speak a text (OpenAI's body)",
    response_class=Response,
    responses={
        200: {
            "description": "The file, or OpenAI's server-sent events",
            "content": {"audio/*": _AUDIO, "text/event-stream": {}},
        }
    },
    openapi_extra=json_body_docs(SpeechBody),
)
async def speech(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("tts:infer"))],
    body: Annotated[SpeechBody, Depends(json_body(SpeechBody))],
) -> Response:
    """As OpenAI's endpoint of this name, at 24 kHz; `model` is a serviceId or one of its names."""
    names: OpenAiNames = request.state.context.openai_names
    headers = {}
    if body.instructions:
        headers["x-speech-ignored"] = "instructions"
    if body.spoken_speed != body.speed:
        headers["x-speech-speed"] = f"{body.spoken_speed:g}"
    order = body.order(names)
    framing: Framing = OpenAiEvents(PATH) if order.live else BareAudio()
    return await streamed(request, caller, order, framing, headers)
