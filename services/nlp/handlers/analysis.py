"""`/api/v1/nlp/…`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.nlp.schemas.analysis import (
    DetectionAnswer,
    DetectionRequest,
    SentimentAnswer,
    SentimentRequest,
    StoredAnalysisAnswer,
)
from services.nlp.services.analysis import AnalysisService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["nlp"])


@router.post(
    "/api/v1/nlp/sentiment/inference",
    summary="Sentiment of texts",
    response_model=SentimentAnswer,
    openapi_extra=json_body_docs(SentimentRequest),
)
async def sentiment(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("nlp:infer"))],
    body: Annotated[SentimentRequest, Depends(json_body(SentimentRequest))],
) -> Response:
    """Label and score of each text and of its sentences, in their order."""
    service: AnalysisService = request.state.context.analysis
    analysis = await until_disconnect(request, service.sentiment(caller, body.order()))
    return json_response(SentimentAnswer.of(analysis, body))


@router.post(
    "/api/v1/nlp/language-detection/inference",
    summary="Languages of texts",
    response_model=DetectionAnswer,
    openapi_extra=json_body_docs(DetectionRequest),
)
async def detect(
    request: Request,
    caller: Annotated[Caller, Depends(caller_with("nlp:infer"))],
    body: Annotated[DetectionRequest, Depends(json_body(DetectionRequest))],
) -> Response:
    """The likeliest languages of each text, in their order."""
    service: AnalysisService = request.state.context.analysis
    texts = tuple(item.source for item in body.input)
    analysis = await until_disconnect(request, service.detect(caller, texts))
    return json_response(DetectionAnswer.of(analysis, body))


@router.get(
    "/api/v1/nlp/requests/{stored_id}",
    summary="A stored request about texts",
    response_model=StoredAnalysisAnswer,
)
async def read(
    request: Request, stored_id: str, caller: Annotated[Caller, Depends(caller_with("nlp:read"))]
) -> Response:
    """The request as it was stored, with its findings and texts: of `pii` the redacted ones."""
    service: AnalysisService = request.state.context.analysis
    return json_response(StoredAnalysisAnswer.of(await service.stored(caller, stored_id)))
