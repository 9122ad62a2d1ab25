"""`GET /api/v1/tts/voices`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.schemas.voices import VoicesAnswer
from services.tts.services.speech import SpeechService
from shared.asgi.caller import caller_with
from shared.asgi.json import json_response
from shared.caller import Caller

router = APIRouter(tags=["tts"])


@router.get(
    "/api/v1/tts/voices", summary="Languages and voices served", response_model=VoicesAnswer
)
async def voices(
    request: Request, _: Annotated[Caller, Depends(caller_with("tts:infer"))]
) -> Response:
    """The voices of every model, each in each of its languages."""
    service: SpeechService = request.state.context.speech
    return json_response(VoicesAnswer.of(await service.voices()))
