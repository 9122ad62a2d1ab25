"""`POST /services/inference/tts`: speech as Dhruva's clients ask for it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.tts.schemas.speech import SpeechRequest
from services.tts.schemas.ulca import UlcaSpeechAnswer
from services.tts.services.speech import SpeechService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["tts"])


@router.post(
    "/services/inference/tts",
    summary="Speak texts (ULCA path and answer)",
    response_model=UlcaSpeechAnswer,
    openapi_extra=json_body_docs(SpeechRequest),
)
async def ulca_inference(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("tts:infer"))],
    body: Annotated[SpeechRequest, Depends(json_body(SpeechRequest))],
    service_id: Annotated[str | None, Query(alias="serviceId", max_length=64)] = None,
) -> Response:
    """One audio for each text, in base64; a `serviceId` in the URL goes before the body's."""
    if service_id:
        config = body.config.model_copy(update={"service_id": service_id})
        body = body.model_copy(update={"config": config})
    service: SpeechService = request.state.context.speech
    speech = await until_disconnect(request, service.speak(caller, body.order()))
    response = json_response(UlcaSpeechAnswer.of(speech, body.config))
    response.headers[USED_HEADER] = speech.used
    return response
