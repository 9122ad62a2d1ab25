"""`/api/v1/admin/users` and `/api/v1/admin/roles`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.handlers.admin_common import (
    ADMIN,
    NO_ORGANIZATION,
    PAGE,
    Cursor,
    Id,
    Limit,
    Refusals,
    Tenant,
    actor_of,
    created,
    log_change,
)
from gateway.schemas.admin_accounts import RoleList, UserAnswer, UserPage, UserPatch, UserRequest
from gateway.services.accounts import AccountService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_USERS, _USER = f"{ADMIN}/users", f"{ADMIN}/users/{{id}}"
_TAKEN: Refusals = {409: {"description": "A user with this e-mail address exists."}}
_LAST: Refusals = {409: {"description": "Nobody would administer the platform any more."}}


def users_router() -> APIRouter:
    """Routes of users and roles."""
    router = APIRouter(tags=["admin: users"])
    router.add_api_route(
        f"{ADMIN}/roles", list_roles, methods=["GET"], summary="Roles", response_model=RoleList
    )
    router.add_api_route(
        _USERS,
        list_users,
        methods=["GET"],
        summary="Users",
        response_model=UserPage,
        responses=NO_ORGANIZATION,
    )
    router.add_api_route(
        _USERS,
        create_user,
        methods=["POST"],
        status_code=201,
        summary="Make a user",
        response_model=UserAnswer,
        responses=NO_ORGANIZATION | _TAKEN,
        openapi_extra=json_body_docs(UserRequest),
    )
    router.add_api_route(
        _USER, get_user, methods=["GET"], summary="A user", response_model=UserAnswer
    )
    router.add_api_route(
        _USER,
        update_user,
        methods=["PATCH"],
        summary="Change a user",
        response_model=UserAnswer,
        responses=_LAST,
        openapi_extra=json_body_docs(UserPatch),
    )
    router.add_api_route(
        _USER,
        delete_user,
        methods=["DELETE"],
        status_code=204,
        summary="Delete a user",
        responses=_LAST,
    )
    return router


async def list_roles(request: Request) -> Response:
    """What each role grants."""
    service: AccountService = request.state.context.accounts
    return json_response(RoleList.of(await service.users.roles()))


async def list_users(
    request: Request, organization: Tenant = None, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """Newest first."""
    service: AccountService = request.state.context.accounts
    page = await service.users.list(
        actor_of(request), tenant_id=organization, limit=limit, cursor=cursor
    )
    return json_response(UserPage.of(page))


async def create_user(
    request: Request, body: Annotated[UserRequest, Depends(json_body(UserRequest))]
) -> Response:
    """Nobody gives a role that grants more than they hold."""
    service: AccountService = request.state.context.accounts
    actor = actor_of(request)
    user = await service.users.create(actor, body.new(), tenant_id=body.tenant_id)
    log_change(actor, "user created", user.id, roles=list(user.roles), of=user.tenant_id)
    return created(UserAnswer.of(user))


async def get_user(request: Request, user_id: Id) -> Response:
    """With its roles and its last login."""
    service: AccountService = request.state.context.accounts
    return json_response(UserAnswer.of(await service.users.get(actor_of(request), user_id)))


async def update_user(
    request: Request, user_id: Id, body: Annotated[UserPatch, Depends(json_body(UserPatch))]
) -> Response:
    """A disabled user's sessions end and its keys are revoked; a new password ends the sessions.

    Keys of a user who loses a role lose what it granted.
    """
    service: AccountService = request.state.context.accounts
    actor = actor_of(request)
    user = await service.users.update(actor, user_id, body.changes())
    log_change(actor, "user changed", user.id, members=sorted(body.model_fields_set))
    return json_response(UserAnswer.of(user))


async def delete_user(request: Request, user_id: Id) -> Response:
    """Its sessions end and its keys are revoked."""
    service: AccountService = request.state.context.accounts
    actor = actor_of(request)
    await service.users.delete(actor, user_id)
    log_change(actor, "user deleted", user_id)
    return Response(status_code=204)
