"""`POST /api/v1/speak`, and the same at `/speak`: a text in, a file of audio out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.handlers.streamed import streamed
from services.tts.schemas.speak import SpeakRequest
from services.tts.schemas.stream import BareAudio
from shared.asgi.caller import caller_with
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["tts"])
PATHS = ("/api/v1/speak", "/speak")


async def speak(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("tts:infer"))],
    body: Annotated[SpeakRequest, Depends(json_body(SpeakRequest))],
) -> Response:
    """The beginning of the audio leaves while the rest is made."""
    return await streamed(request, caller, body.order(), BareAudio())


for path in PATHS:
    router.add_api_route(
        path,
        speak,
        methods=["POST"],
        summary="Speak a text",
        response_class=Response,
        responses={
            200: {
                "description": "The file",
                "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
        openapi_extra=json_body_docs(SpeakRequest),
    )
