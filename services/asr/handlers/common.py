"""What the handlers share: the caller, the service, base64."""

import asyncio

import pybase64
from fastapi import Request, Response

from services.asr.schemas.answer import AsrAnswer
from services.asr.services.asr_service import AsrService
from shared.asgi.caller import caller_with
from shared.audio.errors import refusal
from shared.serving import USED_HEADER

INFER = "asr:infer"
READ = "asr:read"
sender = caller_with(INFER)
reader = caller_with(READ)
_OFF_LOOP_CHARACTERS = 1 << 20


def service_of(request: Request) -> AsrService:
    """The process's service."""
    # The lifespan's context; importing its type would point up a layer.
    service: AsrService = request.state.context.service
    return service


async def from_base64(text: str) -> bytes:
    """The bytes of strict base64.

    Raises:
        AudioRefused: Code `not_base64`.
    """
    try:
        if len(text) > _OFF_LOOP_CHARACTERS:
            return await asyncio.to_thread(pybase64.b64decode, text, validate=True)
        content: bytes = pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise refusal("not_base64") from error
    return content


def answered(answer: AsrAnswer, used: str) -> Response:
    """The answer as JSON.

    Args:
        answer: The body.
        used: Which model answered, see `shared.serving`.
    """
    return Response(
        answer.model_dump_json(by_alias=True, exclude_none=True),
        headers={USED_HEADER: used},
        media_type="application/json",
    )
