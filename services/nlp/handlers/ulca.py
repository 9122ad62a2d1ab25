"""`POST /services/inference/…`: texts as Dhruva's clients send them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.nlp.schemas.analysis import DetectionRequest
from services.nlp.schemas.translation import TranslationRequest
from services.nlp.schemas.transliteration import TransliterationRequest
from services.nlp.schemas.ulca import UlcaDetection, UlcaTranslation, UlcaTransliteration
from services.nlp.services.analysis import AnalysisService
from services.nlp.services.translation import TranslationService
from services.nlp.services.transliteration import TransliterationService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs
from shared.serving import USED_HEADER

router = APIRouter(tags=["nlp"])
Sender = Annotated[Caller, Depends(caller_with("nlp:infer"))]
ServiceQuery = Annotated[
    str | None,
    Query(alias="serviceId", max_length=64, description="Goes before the body's"),
]


@router.post(
    "/services/inference/translation",
    summary="Translate texts (ULCA path and answer)",
    response_model=UlcaTranslation,
    openapi_extra=json_body_docs(TranslationRequest),
)
async def translation(
    request: Request,
    caller: Sender,
    body: Annotated[TranslationRequest, Depends(json_body(TranslationRequest))],
    service_id: ServiceQuery = None,
) -> Response:
    """One translation for each text, in their order."""
    service: TranslationService = request.state.context.translation
    config = body.config
    if service_id:
        config = config.model_copy(update={"service_id": service_id})
        body = body.model_copy(update={"config": config})
    made = await until_disconnect(request, service.translate(caller, body.order()))
    return _answer(UlcaTranslation.of(made, _said(config)), made.used)


@router.post(
    "/services/inference/transliteration",
    summary="Write texts in another script (ULCA path and answer)",
    response_model=UlcaTransliteration,
    openapi_extra=json_body_docs(TransliterationRequest),
)
async def transliteration(
    request: Request,
    caller: Sender,
    body: Annotated[TransliterationRequest, Depends(json_body(TransliterationRequest))],
    service_id: ServiceQuery = None,
) -> Response:
    """Spellings of each text, in their order."""
    service: TransliterationService = request.state.context.transliteration
    config = body.config
    if service_id:
        config = config.model_copy(update={"service_id": service_id})
        body = body.model_copy(update={"config": config})
    made = await until_disconnect(request, service.transliterate(caller, body.order()))
    return _answer(UlcaTransliteration.of(made, _said(config)), made.used)


@router.post(
    "/services/inference/txt-lang-detection",
    summary="Languages of texts (ULCA path and answer)",
    response_model=UlcaDetection,
    openapi_extra=json_body_docs(DetectionRequest),
)
async def detection(
    request: Request,
    caller: Sender,
    body: Annotated[DetectionRequest, Depends(json_body(DetectionRequest))],
) -> Response:
    """The likeliest languages of each text, in their order."""
    service: AnalysisService = request.state.context.analysis
    texts = tuple(item.source for item in body.input)
    found = await until_disconnect(request, service.detect(caller, texts))
    return json_response(UlcaDetection.of(found, body))


def _said(config: BaseModel) -> dict[str, Any]:
    """The configuration as the client sent it."""
    return config.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _answer(model: BaseModel, used: str) -> Response:
    response = json_response(model)
    response.headers[USED_HEADER] = used
    return response
