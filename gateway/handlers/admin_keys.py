"""`/api/v1/admin/keys`."""

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
from gateway.schemas.admin_keys import (
    KeyAnswer,
    KeyPage,
    KeyPatch,
    KeyRequest,
    NewKeyAnswer,
    RotationAnswer,
    RotationRequest,
)
from gateway.services.keys import KeyService
from shared.asgi.json import json_response
from shared.openapi import json_body, json_body_docs

_KEYS, _KEY = f"{ADMIN}/keys", f"{ADMIN}/keys/{{id}}"
_OVER: Refusals = {409: {"description": "The key was revoked or has expired."}}


def keys_router() -> APIRouter:
    """Routes of API keys."""
    router = APIRouter(tags=["admin: keys"])
    router.add_api_route(
        _KEYS,
        list_keys,
        methods=["GET"],
        summary="API keys",
        response_model=KeyPage,
        responses=NO_ORGANIZATION,
    )
    router.add_api_route(
        _KEYS,
        create_key,
        methods=["POST"],
        status_code=201,
        summary="Make an API key",
        response_model=NewKeyAnswer,
        responses=NO_ORGANIZATION,
        openapi_extra=json_body_docs(KeyRequest),
    )
    router.add_api_route(
        _KEY, get_key, methods=["GET"], summary="An API key", response_model=KeyAnswer
    )
    router.add_api_route(
        _KEY,
        update_key,
        methods=["PATCH"],
        summary="Change an API key",
        response_model=KeyAnswer,
        responses=_OVER,
        openapi_extra=json_body_docs(KeyPatch),
    )
    router.add_api_route(
        _KEY, revoke_key, methods=["DELETE"], summary="Revoke an API key", response_model=KeyAnswer
    )
    router.add_api_route(
        f"{_KEY}/rotate",
        rotate_key,
        methods=["POST"],
        status_code=201,
        summary="Replace an API key, with an overlap",
        response_model=RotationAnswer,
        responses=_OVER,
        openapi_extra=json_body_docs(RotationRequest),
    )
    return router


async def list_keys(
    request: Request, organization: Tenant = None, limit: Limit = PAGE, cursor: Cursor = None
) -> Response:
    """Newest first; with `keys:own` only those that the user made."""
    service: KeyService = request.state.context.keys
    page = await service.list(actor_of(request), tenant_id=organization, limit=limit, cursor=cursor)
    return json_response(KeyPage.of(page))


async def create_key(
    request: Request, body: Annotated[KeyRequest, Depends(json_body(KeyRequest))]
) -> Response:
    """The answer holds the key, which is shown this once."""
    service: KeyService = request.state.context.keys
    actor = actor_of(request)
    key, text = await service.create(actor, body.new(), tenant_id=body.tenant_id)
    log_change(actor, "key created", key.id, scopes=sorted(key.scopes), of=key.tenant_id)
    return created(NewKeyAnswer.made(key, text))


async def get_key(request: Request, key_id: Id) -> Response:
    """Its scopes, limits, state and last use."""
    service: KeyService = request.state.context.keys
    return json_response(KeyAnswer.of(await service.get(actor_of(request), key_id)))


async def update_key(
    request: Request, key_id: Id, body: Annotated[KeyPatch, Depends(json_body(KeyPatch))]
) -> Response:
    """Holds everywhere within 2 seconds."""
    service: KeyService = request.state.context.keys
    actor = actor_of(request)
    key = await service.update(actor, key_id, body.changes())
    log_change(actor, "key changed", key.id, members=sorted(body.model_fields_set))
    return json_response(KeyAnswer.of(key))


async def revoke_key(request: Request, key_id: Id) -> Response:
    """Holds everywhere within 2 seconds, and for ever."""
    service: KeyService = request.state.context.keys
    actor = actor_of(request)
    revocation = await service.revoke(actor, key_id)
    log_change(actor, "key revoked", key_id, announced=revocation.announced)
    return json_response(KeyAnswer.of(revocation.key))


async def rotate_key(
    request: Request,
    key_id: Id,
    body: Annotated[RotationRequest, Depends(json_body(RotationRequest))],
) -> Response:
    """The answer holds the successor, which is shown this once; the old key ends after `overlap_s`.

    The successor has the same scopes, limits and models, and the old key's span of life from now.
    """
    service: KeyService = request.state.context.keys
    actor = actor_of(request)
    rotation = await service.rotate(actor, key_id, body.overlap())
    log_change(actor, "key rotated", key_id, successor=rotation.new.id, overlap_s=body.overlap_s)
    return created(RotationAnswer.rotated(rotation.old, rotation.new, rotation.text))
