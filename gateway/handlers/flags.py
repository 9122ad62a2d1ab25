"""`/api/v1/feature-flags`."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from gateway.models.flags import FlagContext, FlagKind
from gateway.models.principal import Principal
from gateway.schemas.flags import (
    FLAG_NAME,
    BooleanRequest,
    BulkAnswer,
    BulkRequest,
    EvaluateRequest,
    EvaluationAnswer,
    FlagAnswer,
    FlagPage,
    SyncAnswer,
)
from gateway.services.flags import FlagService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_FLAGS = "/api/v1/feature-flags"
_ORGANIZATION = "organization"
Name = Annotated[str, Path(pattern=FLAG_NAME)]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on the page")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]


def flags_router() -> APIRouter:
    """Routes of feature flags."""
    router = APIRouter(tags=["feature flags"])
    router.add_api_route(
        f"{_FLAGS}/evaluate",
        evaluate,
        methods=["POST"],
        summary="Evaluate a flag",
        response_model=EvaluationAnswer,
        openapi_extra=json_body_docs(EvaluateRequest),
    )
    router.add_api_route(
        f"{_FLAGS}/evaluate/boolean",
        evaluate_boolean,
        methods=["POST"],
        summary="Evaluate a flag that is on or off",
        response_model=EvaluationAnswer,
        openapi_extra=json_body_docs(BooleanRequest),
    )
    router.add_api_route(
        f"{_FLAGS}/evaluate/bulk",
        evaluate_bulk,
        methods=["POST"],
        summary="Evaluate up to 100 flags",
        response_model=BulkAnswer,
        openapi_extra=json_body_docs(BulkRequest),
    )
    router.add_api_route(
        f"{_FLAGS}/sync",
        sync,
        methods=["POST"],
        summary="Fetch the flags from their source now",
        response_model=SyncAnswer,
    )
    router.add_api_route(
        _FLAGS, list_flags, methods=["GET"], summary="Flags", response_model=FlagPage
    )
    router.add_api_route(
        f"{_FLAGS}/{{name}}", read, methods=["GET"], summary="A flag", response_model=FlagAnswer
    )
    return router


async def evaluate(
    request: Request, body: Annotated[EvaluateRequest, Depends(json_body(EvaluateRequest))]
) -> Response:
    """An unknown flag gives the default, with reason `ERROR` and an `error_code`."""
    service: FlagService = request.state.context.flags
    principal: Principal = request.state.principal
    service.check_environment(body.environment)
    context = _context(principal, body.user_id, body.context)
    evaluation = service.evaluate(principal, body.flag_name, context, body.default_value)
    return json_response(EvaluationAnswer.of(evaluation))


async def evaluate_boolean(
    request: Request, body: Annotated[BooleanRequest, Depends(json_body(BooleanRequest))]
) -> Response:
    """Whether a flag is on for a context, whatever its variants."""
    service: FlagService = request.state.context.flags
    principal: Principal = request.state.principal
    service.check_environment(body.environment)
    context = _context(principal, body.user_id, body.context)
    evaluation = service.evaluate(
        principal, body.flag_name, context, body.default_value, FlagKind.BOOLEAN
    )
    return json_response(EvaluationAnswer.of(evaluation))


async def evaluate_bulk(
    request: Request, body: Annotated[BulkRequest, Depends(json_body(BulkRequest))]
) -> Response:
    """Many flags for one context, in the order in which they were named."""
    service: FlagService = request.state.context.flags
    principal: Principal = request.state.principal
    service.check_environment(body.environment)
    context = _context(principal, body.user_id, body.context)
    return json_response(
        BulkAnswer(
            evaluations=[
                EvaluationAnswer.of(
                    service.evaluate(principal, name, context, body.default_values.get(name))
                )
                for name in body.flag_names
            ]
        )
    )


async def list_flags(request: Request, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name."""
    service: FlagService = request.state.context.flags
    return json_response(FlagPage.of(service.list(limit, cursor), service.state))


async def read(request: Request, name: Name) -> Response:
    """A flag as its source describes it."""
    service: FlagService = request.state.context.flags
    return json_response(FlagAnswer.of(service.get(name), service.state.environment))


async def sync(request: Request) -> Response:
    """503 when the source does not answer; the last known flags then stay in use."""
    service: FlagService = request.state.context.flags
    return json_response(SyncAnswer.of(await service.sync()))


def _context(principal: Principal, user_id: str | None, given: Mapping[str, Any]) -> FlagContext:
    """The context of a request; nobody evaluates as another organization."""
    attributes = {name: value for name, value in given.items() if value is not None}
    if not (principal.is_platform_admin and _ORGANIZATION in attributes):
        attributes[_ORGANIZATION] = principal.identity.tenant_id
    if principal.session_id is not None and user_id is None:
        attributes.setdefault("sessionId", principal.session_id)
    return FlagContext(user_id or principal.identity.subject, attributes)
