"""`POST /api/v1/tts/stream`."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.tts.handlers.streamed import streamed
from services.tts.schemas.stream import (
    BareAudio,
    NativeEvents,
    StreamFormat,
    StreamRequest,
)
from shared.asgi.caller import caller_with
from shared.asgi.context import context_of
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["tts"])
PATH = "/api/v1/tts/stream"
_AUDIO = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    PATH,
    summary="Speak a text while it is made",
    response_class=Response,
    responses={
        200: {
            "description": "The file, or server-sent events that hold its parts",
            "content": {"audio/*": _AUDIO, "text/event-stream": {}},
        }
    },
    openapi_extra=json_body_docs(StreamRequest),
)
async def stream(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("tts:infer"))],
    body: Annotated[StreamRequest, Depends(json_body(StreamRequest))],
    stream_format: Annotated[StreamFormat | None, Query()] = None,
) -> Response:
    """The audio of one text, its beginning while the rest is made.

    A wav file whose length is not known at its beginning says so in its header. Few programs can
    read such a flac file: as a file, it leaves when it is whole; in events, while it is made.
    """
    if (stream_format or body.stream_format) == "audio":
        return await streamed(request, caller, body.order(), BareAudio())
    framing = NativeEvents(PATH, context_of(request.scope).request_id)
    return await streamed(request, caller, replace(body.order(), live=True), framing)
