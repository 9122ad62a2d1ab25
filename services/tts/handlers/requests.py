"""`GET /api/v1/tts/requests/{id}`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.schemas.speech import StoredSpeechAnswer
from services.tts.services.speech import SpeechService
from shared.asgi.caller import caller_with
from shared.asgi.json import json_response
from shared.caller import Caller

router = APIRouter(tags=["tts"])


@router.get(
    "/api/v1/tts/requests/{stored_id}",
    summary="A stored request and its result",
    response_model=StoredSpeechAnswer,
)
async def read(
    request: Request, stored_id: str, caller: Annotated[Caller, Depends(caller_with("tts:read"))]
) -> Response:
    """What was spoken and how; the audio itself is not kept."""
    service: SpeechService = request.state.context.speech
    return json_response(StoredSpeechAnswer.of(await service.stored(caller, stored_id)))
