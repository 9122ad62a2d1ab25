"""`POST /api/v1/pipeline/inference`, and ULCA's `POST /services/inference/pipeline`."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from gateway.schemas.pipelines import (
    PipelineAnswer,
    PipelineRequest,
    UlcaPipelineAnswer,
    ulca_answer,
)
from gateway.services.body_room import BodyRoom, Held
from gateway.services.composing import Composer
from gateway.services.pipelines.cuts import Cuts
from gateway.services.pipelines.running import Outcome, PipelineService
from shared.asgi.context import context_of
from shared.asgi.disconnect import ClientLeft, until_disconnect
from shared.openapi import json_body_docs, validate
from shared.problem import SpeechgateError

_PARTIAL = 207
_JSON = "application/json"
_MAX_REST_BYTES = 1024 * 1024
_SESSION = "x-session-id"


def pipelines_router() -> APIRouter:
    """Routes of pipelines."""
    router = APIRouter(tags=["Pipelines"])
    router.add_api_route(
        "/api/v1/pipeline/inference",
        infer,
        methods=["POST"],
        summary="Several tasks, one behind the other",
        response_model=PipelineAnswer,
        responses={
            _PARTIAL: {"model": PipelineAnswer, "description": "A task after the first failed."}
        },
        openapi_extra=json_body_docs(PipelineRequest),
    )
    router.add_api_route(
        "/services/inference/pipeline",
        ulca_infer,
        methods=["POST"],
        summary="Several tasks, one behind the other (ULCA path and answer)",
        response_model=UlcaPipelineAnswer,
        openapi_extra=json_body_docs(PipelineRequest),
    )
    return router


async def infer(request: Request) -> Response:
    """Recognition → translation → synthesis, or a part of it, in one request.

    Legal: asr → translation, translation → tts, transliteration → translation or tts, and each
    task alone. Each counts as a request of its own, and needs its own scope. When a task after the
    first fails, the answer is a 207 with what was done and `error`.
    """
    return await _answer(request, _native)


async def ulca_infer(request: Request) -> Response:
    """As `/api/v1/pipeline/inference`, with the members of ULCA only.

    When a task after the first fails, the status is that of the failure, and `pipelineResponse`
    stands beside `detail`: ULCA's clients take any 2xx for a whole answer.
    """
    return await _answer(request, _ulca)


async def _answer(
    request: Request, shape: Callable[[Outcome, str], tuple[int, dict[str, Any]]]
) -> Response:
    state = request.state
    composer: Composer = state.context.composer
    service: PipelineService = state.context.pipelines
    bodies: BodyRoom = state.context.bodies
    cuts, context = Cuts(), context_of(request.scope)
    with bodies.hold() as held:
        document = cuts.parse(await _body(request, held), _MAX_REST_BYTES)
        plan = validate(PipelineRequest, document).plan()
        del document
        state.log["tasks"] = plan.name
        admitted = composer.admit(
            service.routes(plan),
            state.principal,
            context,
            state.told,
            session_id=request.headers.get(_SESSION),
        )
        async with admitted as run:
            outcome = await until_disconnect(request, service.run(plan, run, cuts))
        status, answer = shape(outcome, context.request_id)
        content = b"".join(cuts.fill(answer))
    headers = {"X-Model-Variant": outcome.variants}
    if outcome.failure is not None:
        state.log["failed"], state.log["code"] = (
            outcome.failure.step.task,
            outcome.failure.error.code,
        )
        headers |= _retry_after(outcome.failure.error)
    return Response(content, status, headers, _JSON)


async def _body(request: Request, held: Held) -> bytes:
    """The body; unlike `Request.body`, this keeps no copy for the life of the request."""
    parts: list[bytes] = []
    try:
        async for part in request.stream():
            held.add(len(part))
            parts.append(part)
    except ClientDisconnect:
        raise ClientLeft("The client closed the connection.") from None
    return b"".join(parts)


def _native(outcome: Outcome, request_id: str) -> tuple[int, dict[str, Any]]:
    answer = PipelineAnswer.of(outcome, request_id).model_dump(exclude_unset=False)
    if outcome.failure is None:
        del answer["error"]
        return 200, answer
    return _PARTIAL, answer


def _ulca(outcome: Outcome, _: str) -> tuple[int, dict[str, Any]]:
    answer = ulca_answer(outcome)
    if outcome.failure is None:
        return 200, answer
    task, error = outcome.failure.step.task, outcome.failure.error
    return error.status, {
        "detail": {"kind": error.code, "message": f"{task}: {error.detail}"}
    } | answer


def _retry_after(error: SpeechgateError) -> dict[str, str]:
    return {name: value for name, value in error.headers.items() if name == "Retry-After"}
