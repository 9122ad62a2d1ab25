"""`POST /api/v1/tts/inference`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.tts.schemas.speech import SpeechAnswer, SpeechRequest
from services.tts.services.speech import SpeechService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["tts"])


@router.post(
    "/api/v1/tts/inference",
    summary="Speak texts (ULCA body)",
    response_model=SpeechAnswer,
    openapi_extra=json_body_docs(SpeechRequest),
)
async def infer(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("tts:infer"))],
    body: Annotated[SpeechRequest, Depends(json_body(SpeechRequest))],
) -> Response:
    """One audio for each text, in base64, in the order of the texts."""
    service: SpeechService = request.state.context.speech
    speech = await until_disconnect(request, service.speak(caller, body.order()))
    response = json_response(SpeechAnswer.of(speech, body.config))
    response.headers[USED_HEADER] = speech.used
    return response
