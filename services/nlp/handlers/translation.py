"""`/api/v1/nmt/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.nlp.schemas.common import PairsAnswer
from services.nlp.schemas.translation import (
    StoredTranslationAnswer,
    TranslationAnswer,
    TranslationRequest,
)
from services.nlp.services.translation import TranslationService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["nmt"])


@router.post(
    "/api/v1/nmt/inference",
    summary="Translate texts (ULCA body)",
    response_model=TranslationAnswer,
    openapi_extra=json_body_docs(TranslationRequest),
)
async def infer(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("nlp:infer"))],
    body: Annotated[TranslationRequest, Depends(json_body(TranslationRequest))],
) -> Response:
    """One translation for each text, in their order; layout, tags and placeholders are kept."""
    service: TranslationService = request.state.context.translation
    translation = await until_disconnect(request, service.translate(caller, body.order()))
    response = json_response(TranslationAnswer.of(translation, body.config))
    response.headers[USED_HEADER] = translation.used
    return response


@router.get(
    "/api/v1/nmt/requests/{stored_id}",
    summary="A stored translation",
    response_model=StoredTranslationAnswer,
)
async def read(
    request: Request, stored_id: str, caller: Annotated[Caller, Depends(caller_with("nlp:read"))]
) -> Response:
    """The request as it was stored, with its sources and translations."""
    service: TranslationService = request.state.context.translation
    return json_response(StoredTranslationAnswer.of(await service.stored(caller, stored_id)))


@router.get("/api/v1/nmt/languages", summary="Pairs served", response_model=PairsAnswer)
async def languages(
    request: Request, _: Annotated[Caller, Depends(caller_with("nlp:infer"))]
) -> Response:
    """The directions of every translation model."""
    service: TranslationService = request.state.context.translation
    return json_response(PairsAnswer.of(await service.pairs()))
