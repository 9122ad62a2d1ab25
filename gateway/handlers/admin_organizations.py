"""`/api/v1/admin/organizations`."""

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
from gateway.schemas.admin_accounts import (
    OrganizationAnswer,
    OrganizationPage,
    OrganizationPatch,
    OrganizationRequest,
)
from gateway.services.accounts import AccountService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_ORGANIZATIONS, _ORGANIZATION = f"{ADMIN}/organizations", f"{ADMIN}/organizations/{{id}}"
_NO_PLAN: Refusals = {404: {"description": "There is no such plan."}}
_TAKEN: Refusals = {409: {"description": "An organization of this name exists."}}
_UNCHANGEABLE: Refusals = {
    409: {"description": "The name is taken, or nobody would administer the platform any more."}
}


def organizations_router() -> APIRouter:
    """Routes of organizations."""
    router = APIRouter(tags=["admin: organizations"])
    router.add_api_route(
        _ORGANIZATIONS,
        list_organizations,
        methods=["GET"],
        summary="Organizations",
        response_model=OrganizationPage,
    )
    router.add_api_route(
        _ORGANIZATIONS,
        create_organization,
        methods=["POST"],
        status_code=201,
        summary="Make an organization",
        response_model=OrganizationAnswer,
        responses=_NO_PLAN | _TAKEN,
        openapi_extra=json_body_docs(OrganizationRequest),
    )
    router.add_api_route(
        _ORGANIZATION,
        get_organization,
        methods=["GET"],
        summary="An organization",
        response_model=OrganizationAnswer,
    )
    router.add_api_route(
        _ORGANIZATION,
        update_organization,
        methods=["PATCH"],
        summary="Rename, suspend or resume an organization, or set its plan",
        response_model=OrganizationAnswer,
        responses=_UNCHANGEABLE,
        openapi_extra=json_body_docs(OrganizationPatch),
    )
    return router


async def list_organizations(
    request: Request, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """Newest first."""
    service: AccountService = request.state.context.accounts
    page = await service.organizations.list(actor_of(request), limit=limit, cursor=cursor)
    return json_response(OrganizationPage.of(page))


async def create_organization(
    request: Request, body: Annotated[OrganizationRequest, Depends(json_body(OrganizationRequest))]
) -> Response:
    """Without a plan it has the gateway's defaults."""
    service: AccountService = request.state.context.accounts
    actor = actor_of(request)
    organization = await service.organizations.create(actor, body.name, body.plan_id)
    log_change(actor, "organization created", organization.id)
    return created(OrganizationAnswer.of(organization))


async def get_organization(request: Request, organization_id: Id) -> Response:
    """With its plan."""
    service: AccountService = request.state.context.accounts
    found = await service.organizations.get(actor_of(request), organization_id)
    return json_response(OrganizationAnswer.of(found))


async def update_organization(
    request: Request,
    organization_id: Id,
    body: Annotated[OrganizationPatch, Depends(json_body(OrganizationPatch))],
) -> Response:
    """Its own administrators may rename it; plan and suspension are the platform's.

    A suspended organization's keys and users are refused within 2 seconds.
    """
    service: AccountService = request.state.context.accounts
    actor = actor_of(request)
    organization = await service.organizations.update(actor, organization_id, body.changes())
    members = sorted(body.model_fields_set)
    log_change(actor, "organization changed", organization.id, members=members)
    return json_response(OrganizationAnswer.of(organization))
