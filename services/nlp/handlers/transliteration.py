"""`/api/v1/nlp/transliteration/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.nlp.schemas.common import PairsAnswer
from services.nlp.schemas.transliteration import TransliterationAnswer, TransliterationRequest
from services.nlp.services.transliteration import TransliterationService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["nlp"])
Sender = Annotated[Caller, Depends(caller_with("nlp:infer"))]


@router.post(
    "/api/v1/nlp/transliteration/inference",
    summary="Write texts in another script (ULCA body)",
    response_model=TransliterationAnswer,
    openapi_extra=json_body_docs(TransliterationRequest),
)
async def infer(
    request: Request,
    caller: Sender,
    body: Annotated[TransliterationRequest, Depends(json_body(TransliterationRequest))],
) -> Response:
    """Spellings of each text, in their order: of running text one, of words the likeliest."""
    service: TransliterationService = request.state.context.transliteration
    made = await until_disconnect(request, service.transliterate(caller, body.order()))
    response = json_response(TransliterationAnswer.of(made, body.config))
    response.headers[USED_HEADER] = made.used
    return response


@router.get(
    "/api/v1/nlp/transliteration/languages", summary="Pairs served", response_model=PairsAnswer
)
async def languages(request: Request, _: Sender) -> Response:
    """The directions of every transliteration model."""
    service: TransliterationService = request.state.context.transliteration
    return json_response(PairsAnswer.of(await service.pairs()))
