"""`GET /api/v1/tts/voices`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.inference.tts import MODEL_RATE
from services.tts.schemas.speech import VoiceEntry, VoicesAnswer
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
    """The languages of every model, each with its voices."""
    service: SpeechService = request.state.context.speech
    served = await service.languages()
    return json_response(
        VoicesAnswer(
            voices=[
                VoiceEntry(service_id=service_id, language=language)
                for service_id, languages in served.items()
                for language in languages
            ],
            sampling_rate=MODEL_RATE,
        )
    )
