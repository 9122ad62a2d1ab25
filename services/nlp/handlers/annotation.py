"""`/api/v1/nlp/…`: entities, personal data, key phrases, summaries, rewriting."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.nlp.models.analysis import Task
from services.nlp.schemas.annotation import (
    EntityAnswer,
    PiiAnswer,
    PiiRequest,
    TextRequest,
    UlcaNer,
)
from services.nlp.schemas.digest import (
    KeywordAnswer,
    KeywordRequest,
    RewriteAnswer,
    SummaryAnswer,
    SummaryRequest,
)
from services.nlp.services.annotation import AnnotationService
from services.nlp.services.rewriting import RewritingService
from shared.asgi.caller import caller_with
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.caller import Caller
from shared.openapi import json_body, json_body_docs

router = APIRouter(tags=["nlp"])
Sender = Annotated[Caller, Depends(caller_with("nlp:infer"))]
Texts = Annotated[TextRequest, Depends(json_body(TextRequest))]


@router.post(
    "/api/v1/nlp/ner/inference",
    summary="Named entities of texts",
    response_model=EntityAnswer,
    openapi_extra=json_body_docs(TextRequest),
)
async def entities(request: Request, caller: Sender, body: Texts) -> Response:
    """Persons, organizations, places, dates, amounts … of each text, with their spans."""
    service: AnnotationService = request.state.context.annotation
    found = await until_disconnect(request, service.entities(caller, body.order()))
    return json_response(EntityAnswer.of(found, body))


@router.post(
    "/services/inference/ner",
    summary="Named entities of texts (ULCA path and answer)",
    response_model=UlcaNer,
    openapi_extra=json_body_docs(TextRequest),
)
async def tagged(request: Request, caller: Sender, body: Texts) -> Response:
    """The tokens of each text with their IOB2 tags: the same entities as the native route's."""
    service: AnnotationService = request.state.context.annotation
    found = await until_disconnect(request, service.entities(caller, body.order(), tokens=True))
    return json_response(UlcaNer.of(found, body))


@router.post(
    "/api/v1/nlp/pii/inference",
    summary="Texts without personal data",
    response_model=PiiAnswer,
    openapi_extra=json_body_docs(PiiRequest),
)
async def redacted(
    request: Request, caller: Sender, body: Annotated[PiiRequest, Depends(json_body(PiiRequest))]
) -> Response:
    """Each text redacted as the policy says; the texts as they were sent are not stored."""
    service: AnnotationService = request.state.context.annotation
    found = await until_disconnect(request, service.redact(caller, body.order()))
    return json_response(PiiAnswer.of(found))


@router.post(
    "/api/v1/nlp/keywords/inference",
    summary="Key phrases of texts",
    response_model=KeywordAnswer,
    openapi_extra=json_body_docs(KeywordRequest),
)
async def keywords(
    request: Request,
    caller: Sender,
    body: Annotated[KeywordRequest, Depends(json_body(KeywordRequest))],
) -> Response:
    """The most telling phrases of each text, the best first."""
    service: AnnotationService = request.state.context.annotation
    found = await until_disconnect(request, service.keywords(caller, body.order()))
    return json_response(KeywordAnswer.of(found, body))


@router.post(
    "/api/v1/nlp/summary/inference",
    summary="Summaries of texts",
    response_model=SummaryAnswer,
    openapi_extra=json_body_docs(SummaryRequest),
)
async def summary(
    request: Request,
    caller: Sender,
    body: Annotated[SummaryRequest, Depends(json_body(SummaryRequest))],
) -> Response:
    """The most telling sentences of each text, as they stand there."""
    service: AnnotationService = request.state.context.annotation
    found = await until_disconnect(request, service.summary(caller, body.order()))
    return json_response(SummaryAnswer.of(found, body))


@router.post(
    "/api/v1/nlp/itn/inference",
    summary="Numbers, dates and amounts as they are written",
    response_model=RewriteAnswer,
    openapi_extra=json_body_docs(TextRequest),
)
async def itn(request: Request, caller: Sender, body: Texts) -> Response:
    """Each text with its spoken numbers written; line breaks stay."""
    return await _rewrite(request, caller, body, Task.ITN)


@router.post(
    "/api/v1/nlp/punctuation/inference",
    summary="Texts with punctuation and capitals",
    response_model=RewriteAnswer,
    openapi_extra=json_body_docs(TextRequest),
)
async def punctuation(request: Request, caller: Sender, body: Texts) -> Response:
    """Each line of each text as one that is written; line breaks stay."""
    return await _rewrite(request, caller, body, Task.PUNCTUATION)


async def _rewrite(request: Request, caller: Caller, body: TextRequest, task: Task) -> Response:
    service: RewritingService = request.state.context.rewriting
    written = await until_disconnect(request, service.rewrite(caller, task, body.order()))
    return json_response(RewriteAnswer.of(task, written, body))
