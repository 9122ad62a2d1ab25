"""One OpenAPI document for the gateway and the services behind it."""

import asyncio
import copy
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.models.routes import BodyBound, OwnRoute, Route, Service, Transport
from gateway.services.api_texts import (
    COMMON_HEADERS,
    ERRORS,
    GUIDE,
    HEADERS,
    NO_MEDIA,
    NOT_FOUND,
    REFUSALS,
    RETRY_AFTER,
    TAGS,
    TOO_LARGE,
    TOO_SLOW,
    UNPROCESSABLE,
    Document,
)
from shared.dialects import Dialect, dialect_of
from shared.logging import get_logger

_logger = get_logger(__name__)
Fetch = Callable[[Service], Awaitable[Document]]

REFRESH_S, RETRY_S = 60.0, 5.0
_VARIABLE = re.compile(r"\{[^}]*\}")
_SCHEMA_REF = "#/components/schemas/"
_CREDENTIALS: list[Document] = [{"Bearer": []}, {"ApiKey": []}]
_STREAMS = {
    Transport.WEBSOCKET: "A stream over WebSocket",
    Transport.SOCKET_IO: "Streams over Socket.IO 4",
}


class ApiDocument:
    """The merged document, refreshed from the services at most once a minute.

    Args:
        own: The gateway's own document.
        fetch: Gets a service's document.
        routes: What is public; anything else that a service offers is left out.
        own_routes: Who may call the gateway's own.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        own: Document,
        fetch: Fetch,
        routes: Sequence[Route],
        own_routes: Sequence[OwnRoute] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = _guard_own(own, own_routes)
        self._fetch = fetch
        self._routes = routes
        self._clock = clock
        self._services: dict[Service, Document] = {}
        self._merged: Document = {}
        self._fresh_until = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self) -> Document:
        """The document; what a service that is down last said stays in it."""
        async with self._lock:
            if self._clock() >= self._fresh_until:
                services = sorted({route.service for route in self._routes})
                complete = all(await asyncio.gather(*map(self._refresh, services)))
                self._merged = merge(self._own, self._services, self._routes)
                self._fresh_until = self._clock() + (REFRESH_S if complete else RETRY_S)
            return self._merged

    async def _refresh(self, service: Service) -> bool:
        try:
            self._services[service] = await self._fetch(service)
        except Exception as error:  # noqa: BLE001 - documentation must not fail with a service
            _logger.warning("no API document", upstream=service, error=type(error).__name__)
            return False
        return True


def merge(own: Document, services: Mapping[Service, Document], routes: Sequence[Route]) -> Document:
    """One document of the gateway's paths and the services' public operations."""
    merged = copy.deepcopy(own)
    merged["info"]["description"] = GUIDE
    components = merged.setdefault("components", {})
    schemas: Document = components.setdefault("schemas", {})
    schemas |= {name: schema for name, schema, _ in ERRORS.values()}
    components["headers"] = {**HEADERS, "Retry-After": RETRY_AFTER}
    components["responses"] = {
        f"{dialect}-{status}": _refusal(dialect, status)
        for dialect in Dialect
        for status in REFUSALS
    }
    components["securitySchemes"] = {
        "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "sg_live_…"},
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    operations = {
        service: _public_operations(service, document, schemas)
        for service, document in services.items()
    }
    for route in routes:
        key = (_VARIABLE.sub("{}", route.template), route.method.lower())
        described = operations.get(route.service, {}).get(key)
        operation = described or _undescribed(route)
        merged["paths"].setdefault(route.template, {})[route.method.lower()] = _guard(
            operation, route
        )
    return merged


def _refusal(dialect: Dialect, status: int) -> Document:
    description, headers = REFUSALS[status]
    name, _, media_type = ERRORS[dialect]
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {media_type: {"schema": {"$ref": _SCHEMA_REF + name}}},
    }


def _public_operations(
    service: Service, document: Document, schemas: Document
) -> dict[tuple[str, str], Document]:
    """A service's operations by (path, method), their schemas moved into `schemas`."""
    found: Document = document.get("components", {}).get("schemas", {})
    names = {
        name: name if schemas.get(name, schema) == schema else f"{service.title()}{name}"
        for name, schema in found.items()
    }
    for name, schema in found.items():
        schemas[names[name]] = _renamed(schema, names)
    return {
        (_VARIABLE.sub("{}", path), method): _renamed(operation, names)
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    }


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """A copy whose references follow renamed schemas."""
    if isinstance(node, dict):
        return {
            key: _SCHEMA_REF + names.get(value.removeprefix(_SCHEMA_REF), "")
            if key == "$ref" and isinstance(value, str) and value.startswith(_SCHEMA_REF)
            else _renamed(value, names)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_renamed(item, names) for item in node]
    return node


def _undescribed(route: Route) -> Document:
    if route.transport is not Transport.HTTP:
        return {
            "summary": _STREAMS[route.transport],
            "responses": {"101": {"description": "The stream is open."}},
        }
    names = [name.strip("{}") for name in _VARIABLE.findall(route.template)]
    return {
        "summary": f"Served by {route.service}, which does not answer now",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {"200": {"description": "Success"}},
    }


def _guard(operation: Document, route: Route) -> Document:
    """What the gateway adds to an operation of a service."""
    has_body, has_id = route.body is not BodyBound.NONE, "{" in route.template
    dialect = dialect_of(route.template)
    _describe_answers(operation, HEADERS, dialect, has_body=has_body, has_id=has_id)
    parameters = [
        parameter
        for parameter in operation.get("parameters", [])
        if not str(parameter.get("name", "")).lower().startswith("x-sg-")
    ]
    task = route.template.removeprefix("/api/v1/").split("/")[0]
    operation |= {
        "tags": [TAGS.get(task) or TAGS[route.service]],
        "operationId": _operation_id(route.method, route.template),
        "parameters": parameters,
        "security": _CREDENTIALS,
        "x-required-scope": route.scope,
    }
    return operation


def _guard_own(document: Document, routes: Sequence[OwnRoute]) -> Document:
    """The gateway's own document, with what its guard adds to an operation."""
    guarded = copy.deepcopy(document)
    for route in routes:
        operation = guarded["paths"][route.template][route.method.lower()]
        has_id = "{" in route.template
        has_body = "requestBody" in operation
        dialect = dialect_of(route.template)
        _describe_answers(operation, COMMON_HEADERS, dialect, has_body=has_body, has_id=has_id)
        operation["operationId"] = _operation_id(route.method, route.template)
        if route.permission is not None:
            operation["security"] = _CREDENTIALS
        if route.permission:
            operation["x-required-scope"] = route.permission
    return guarded


def _operation_id(method: str, template: str) -> str:
    slug = re.sub(r"[^a-z]+", "_", template.removeprefix("/api/v1/")).strip("_")
    return f"{method.lower()}_{slug}"


def _describe_answers(
    operation: Document,
    headers: Iterable[str],
    dialect: Dialect,
    *,
    has_body: bool,
    has_id: bool,
) -> None:
    responses: Document = operation.setdefault("responses", {})
    for status, response in responses.items():
        if status.startswith("2"):
            response.setdefault("headers", {}).update(
                {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
            )
    openai = dialect is Dialect.OPENAI
    # OpenAI's clients know no 422; a model that is unknown is a 404 to them.
    applies = dict.fromkeys((TOO_SLOW, TOO_LARGE, NO_MEDIA), has_body) | {
        UNPROCESSABLE: has_body and not openai,
        NOT_FOUND: has_id or (has_body and openai),
    }
    for refusal in REFUSALS:
        # A service's own word for a refusal gives way: the shape is the same everywhere.
        responses.pop(str(refusal), None)
        if applies.get(refusal, True):
            responses[str(refusal)] = {"$ref": f"#/components/responses/{dialect}-{refusal}"}
