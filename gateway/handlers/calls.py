"""`/api/v1/calls`: recorded calls; `/transcribe` and `/replay` are the same by other names."""

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query, Request, Response

from gateway.handlers.call_upload import PassingUpload
from gateway.inner_routes import CALL_ERASED, CALL_FORM, CALL_JSON, CALL_STORED
from gateway.models.calls import Degradation, ReplayOrder
from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.schemas.calls import (
    CallAnswer,
    CallPage,
    ReplayCallRequest,
    ReplayRequest,
    transcribe_docs,
)
from gateway.services.calls.analysis import CallAnalysis
from gateway.services.calls.calls import CallService
from gateway.services.composing import Run
from shared.asgi.context import context_of
from shared.asgi.disconnect import until_disconnect
from shared.asgi.json import json_response
from shared.db.base import new_id
from shared.jsonbody import parse_json_object
from shared.openapi import json_body_docs, validate
from shared.problem import UnsupportedMedia

CALLS = "/api/v1/calls"
_CALL = f"{CALLS}/{{id}}"
Id = Annotated[str, Path(alias="id", pattern=r"^[0-9A-Za-z._-]{1,128}$")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on the page")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before")]
Words = Annotated[bool, Query(description="Tell every word with its times")]
_REPLAY_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The audio; `X-Degraded: clip=<reason>` where the clip is missing",
        "content": {"audio/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    404: {"description": "There is no such call, or no such moment."},
    409: {"description": "The call was not analyzed."},
}


def calls_router() -> APIRouter:
    """Routes of recorded calls."""
    router = APIRouter(tags=["Calls"])
    for path in (f"{CALLS}/transcribe", "/transcribe"):
        router.add_api_route(
            path,
            transcribe,
            methods=["POST"],
            summary="Analyze a recorded call",
            response_model=CallAnswer,
            openapi_extra=transcribe_docs(),
        )
    router.add_api_route(
        CALLS, list_calls, methods=["GET"], summary="Calls", response_model=CallPage
    )
    router.add_api_route(
        _CALL, read_call, methods=["GET"], summary="A call", response_model=CallAnswer
    )
    router.add_api_route(
        _CALL, delete_call, methods=["DELETE"], status_code=204, summary="Delete a call"
    )
    for path, handler, body in (
        (f"{_CALL}/replay", replay, ReplayRequest),
        ("/replay", replay_by_body, ReplayCallRequest),
    ):
        docs = json_body_docs(body)
        docs["requestBody"]["required"] = body is ReplayCallRequest
        router.add_api_route(
            path,
            handler,
            methods=["POST"],
            summary="A coachable moment as audio",
            response_class=Response,
            responses=_REPLAY_ANSWERS,
            openapi_extra=docs,
        )
    return router


async def transcribe(request: Request) -> Response:
    """Transcript with speakers, sentiment and coachable moments, under one `call_id`.

    What is missing is null, and `degraded` says why.
    """
    content_type = request.headers.get("content-type", "")
    route = _route_for(content_type)
    service: CallAnalysis = request.state.context.call_analysis
    upload, call_id = PassingUpload(request), new_id()
    structlog.contextvars.bind_contextvars(call_id=call_id)
    await upload.begin()
    async with _admitted(request, route) as run:
        work = service.run(call_id, run, route, upload.parts(), content_type)
        document = await upload.attended(work)
    answer = json_response(CallAnswer.of(document))
    answer.headers["X-Model-Variant"] = f"asr={document.variant}"
    return answer


async def list_calls(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Newest first, without their content."""
    principal: Principal = request.state.principal
    page = await _service(request).list(principal.identity.tenant_id, limit, cursor)
    return json_response(CallPage.of(page))


async def read_call(request: Request, call_id: Id, *, words: Words = False) -> Response:
    """What the services still have of it; what is missing is null, and `degraded` says why."""
    structlog.contextvars.bind_contextvars(call_id=call_id)
    async with _admitted(request, CALL_STORED) as run:
        work = _service(request).get(run, call_id, words=words)
        document = await until_disconnect(request, work)
    return json_response(CallAnswer.of(document))


async def delete_call(request: Request, call_id: Id) -> Response:
    """With transcript, analysis and recording, for good; 503 while a service is down."""
    structlog.contextvars.bind_contextvars(call_id=call_id)
    async with _admitted(request, CALL_ERASED) as run:
        # Not given up when the client leaves: it was asked for.
        await _service(request).delete(run, call_id)
    return Response(status_code=204)


async def replay(request: Request, call_id: Id) -> Response:
    """The advice, spoken; on request followed by the clip that it is about."""
    content = await request.body()
    body = validate(ReplayRequest, parse_json_object(content) if content.strip() else {})
    return await _replayed(request, call_id, body.order())


async def replay_by_body(request: Request) -> Response:
    """The advice, spoken; on request followed by the clip that it is about."""
    body = validate(ReplayCallRequest, parse_json_object(await request.body()))
    return await _replayed(request, body.call_id, body.order())


async def _replayed(request: Request, call_id: str, order: ReplayOrder) -> Response:
    structlog.contextvars.bind_contextvars(call_id=call_id)
    async with _admitted(request) as run:
        made = await until_disconnect(request, _service(request).replay(run, call_id, order))
    headers = {"X-Call-ID": call_id}
    if made.degraded:
        headers["X-Degraded"] = ", ".join(map(_told, made.degraded))
    return Response(made.content, headers=headers, media_type=made.media_type)


def _told(missing: Degradation) -> str:
    return f"{missing.step}={missing.reason}"


def _route_for(content_type: str) -> Route:
    """Where a body of this type goes; nothing of the body was read.

    Raises:
        UnsupportedMedia: It is neither of the two.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return CALL_FORM
    if kind == "application/json":
        return CALL_JSON
    raise UnsupportedMedia("Send the call as multipart/form-data or application/json.")


def _admitted(request: Request, *routes: Route) -> AbstractAsyncContextManager[Run]:
    """Places and limits for the steps."""
    state: dict[str, Any] = request.scope["state"]
    admitted: AbstractAsyncContextManager[Run] = state["context"].composer.admit(
        routes,
        state["principal"],
        context_of(request.scope),
        state["told"],
        session_id=request.headers.get("x-session-id"),
    )
    return admitted


def _service(request: Request) -> CallService:
    service: CallService = request.state.context.calls
    return service
