"""`/api/v1/admin/plans`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.handlers.admin_common import (
    ADMIN,
    PAGE,
    Cursor,
    Id,
    Limit,
    Refusals,
    actor_of,
    created,
    log_change,
)
from gateway.schemas.admin_accounts import PlanAnswer, PlanPage, PlanPatch, PlanRequest
from gateway.services.plans import PlanService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_PLANS, _PLAN = f"{ADMIN}/plans", f"{ADMIN}/plans/{{id}}"
_TAKEN: Refusals = {409: {"description": "A plan of this name exists."}}
_USED: Refusals = {409: {"description": "An organization has this plan."}}


def plans_router() -> APIRouter:
    """Routes of plans."""
    router = APIRouter(tags=["admin: plans"])
    router.add_api_route(
        _PLANS, list_plans, methods=["GET"], summary="Plans", response_model=PlanPage
    )
    router.add_api_route(
        _PLANS,
        create_plan,
        methods=["POST"],
        status_code=201,
        summary="Make a plan",
        response_model=PlanAnswer,
        responses=_TAKEN,
        openapi_extra=json_body_docs(PlanRequest),
    )
    router.add_api_route(
        _PLAN,
        update_plan,
        methods=["PATCH"],
        summary="Change a plan",
        response_model=PlanAnswer,
        responses=_TAKEN,
        openapi_extra=json_body_docs(PlanPatch),
    )
    router.add_api_route(
        _PLAN,
        delete_plan,
        methods=["DELETE"],
        status_code=204,
        summary="Delete an unused plan",
        responses=_USED,
    )
    return router


async def list_plans(request: Request, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Newest first; an organization sees only its own."""
    service: PlanService = request.state.context.plans
    page = await service.list(actor_of(request), limit=limit, cursor=cursor)
    return json_response(PlanPage.of(page))


async def create_plan(
    request: Request, body: Annotated[PlanRequest, Depends(json_body(PlanRequest))]
) -> Response:
    """Quotas that are absent take the gateway's defaults."""
    service: PlanService = request.state.context.plans
    actor = actor_of(request)
    plan = await service.create(actor, body.name, body.model_dump(exclude={"name"}))
    log_change(actor, "plan created", plan.id)
    return created(PlanAnswer.of(plan))


async def update_plan(
    request: Request, plan_id: Id, body: Annotated[PlanPatch, Depends(json_body(PlanPatch))]
) -> Response:
    """Holds for the keys of its organizations within 2 seconds."""
    service: PlanService = request.state.context.plans
    actor = actor_of(request)
    plan = await service.update(actor, plan_id, body.given())
    log_change(actor, "plan changed", plan.id, members=sorted(body.model_fields_set))
    return json_response(PlanAnswer.of(plan))


async def delete_plan(request: Request, plan_id: Id) -> Response:
    """409 while an organization has it."""
    service: PlanService = request.state.context.plans
    actor = actor_of(request)
    await service.delete(actor, plan_id)
    log_change(actor, "plan deleted", plan_id)
    return Response(status_code=204)
