"""What the handlers of `/api/v1/admin/…` have in common."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel

from gateway.services.authority import Actor
from shared.asgi.json import json_response
from shared.logging import get_logger

ADMIN = "/api/v1/admin"
Id = Annotated[str, Path(alias="id", pattern=r"^[0-9A-Za-z._-]{1,128}$")]
Limit = Annotated[int, Query(ge=1, le=200, description="Items on the page")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next` of the page before")]
Tenant = Annotated[
    str | None,
    Query(
        alias="organization",
        pattern=r"^[0-9A-Za-z]{1,64}$",
        description="Another organization's id; for the platform's administrators",
    ),
]
PAGE = 50
Refusals = dict[int | str, dict[str, Any]]
"""Reasons for statuses that not every route answers; the API document has their shapes."""
NO_ORGANIZATION: Refusals = {404: {"description": "There is no such organization."}}
_logger = get_logger("gateway.admin")


def actor_of(request: Request) -> Actor:
    """Who sent the request."""
    return Actor.of(request.state.principal)


def created(model: BaseModel) -> Response:
    """The new object; it may hold a secret, which no cache may keep."""
    response = json_response(model)
    response.status_code = 201
    response.headers["Cache-Control"] = "no-store"
    return response


def log_change(actor: Actor, what: str, object_id: str, **more: object) -> None:
    """One line for each change: who, what, which object."""
    _logger.info(what, actor=actor.subject, tenant=actor.tenant_id, object=object_id, **more)
