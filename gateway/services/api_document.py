"""One OpenAPI document for the gateway and the services behind it."""

import asyncio
import copy
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from gateway.models.routes import OwnRoute, Route, Service, Transport
from gateway.services.api_answers import (
    Nature,
    common_refusals,
    describe_answers,
    describe_open,
    stream_operation,
)
from gateway.services.api_texts import (
    ERRORS,
    GUIDE,
    HEADERS,
    RETRY_AFTER,
    SCHEMA_REF,
    TAGS,
    Document,
)
from shared.logging import get_logger

_logger = get_logger(__name__)
Fetch = Callable[[Service], Awaitable[Document]]

REFRESH_S, RETRY_S = 60.0, 5.0
_VARIABLE = re.compile(r"\{[^}]*\}")
_DIALECTS = ("/api/v1/", "/v1/", "/services/", "/ws/", "/socket.io/")
_CREDENTIALS: list[Document] = [{"Bearer": []}, {"ApiKey": []}]


class ApiDocument:
    """The merged document, refreshed from the services at most once a minute.

    Args:
        own: Builds the gateway's own document; called when somebody first asks.
        fetch: Gets a service's document.
        routes: What is public; anything else that a service offers is left out.
        own_routes: Who may call the gateway's own.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        own: Callable[[], Document],
        fetch: Fetch,
        routes: Sequence[Route],
        own_routes: Sequence[OwnRoute] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = cache(lambda: _guard_own(own(), own_routes))
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
                # It takes long enough for other requests to notice.
                self._merged = await asyncio.to_thread(
                    lambda: merge(self._own(), self._services, self._routes)
                )
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
    components["responses"] = common_refusals()
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
        operation = _named(*described, route) if described else _undescribed(route)
        merged["paths"].setdefault(route.template, {})[route.method.lower()] = _guard(
            operation, route
        )
    _forget_unused(merged)
    return merged


def _forget_unused(document: Document) -> None:
    """Drop the schemas that nothing refers to, such as the framework's own for errors."""
    schemas = document["components"]["schemas"]
    used: set[str] = set()
    found = {name for name, _, _ in ERRORS.values()} | set(_references(document["paths"]))
    while found - used:
        new = found - used
        used |= new
        found = {name for one in new for name in _references(schemas.get(one))}
    for name in schemas.keys() - used:
        del schemas[name]


def _references(node: Any) -> Iterator[str]:
    """Names of the schemas that a part of a document refers to."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(SCHEMA_REF):
            yield reference.removeprefix(SCHEMA_REF)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _public_operations(
    service: Service, document: Document, schemas: Document
) -> dict[tuple[str, str], tuple[str, Document]]:
    """A service's paths and operations by (path, method), their schemas moved into `schemas`."""
    found: Document = document.get("components", {}).get("schemas", {})
    names = {
        name: name if schemas.get(name, schema) == schema else f"{service.title()}{name}"
        for name, schema in found.items()
    }
    for name, schema in found.items():
        schemas[names[name]] = _renamed(schema, names)
    return {
        (_VARIABLE.sub("{}", path), method): (path, _renamed(operation, names))
        for path, methods in document.get("paths", {}).items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    }


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """A copy whose references follow renamed schemas."""
    if isinstance(node, dict):
        return {
            key: SCHEMA_REF + names.get(value.removeprefix(SCHEMA_REF), "")
            if key == "$ref" and isinstance(value, str) and value.startswith(SCHEMA_REF)
            else _renamed(value, names)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_renamed(item, names) for item in node]
    return node


def _named(path: str, operation: Document, route: Route) -> Document:
    """The operation with the variables of its public path, whatever the service calls them."""
    public = dict(zip(_VARIABLE.findall(path), _VARIABLE.findall(route.template), strict=True))
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["name"] = public[f"{{{parameter['name']}}}"].strip("{}")
    return operation


def _undescribed(route: Route) -> Document:
    if route.transport is not Transport.HTTP:
        return stream_operation(route.method, route.transport)
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
    describe_answers(operation, Nature.of(route))
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
        describe_answers(operation, Nature.of_own(route))
        operation["operationId"] = _operation_id(route.method, route.template)
        if route.permission is not None:
            operation["security"] = _CREDENTIALS
        if route.permission:
            operation["x-required-scope"] = route.permission
    declared = {(route.template, route.method.lower()) for route in routes}
    for path, operations in guarded["paths"].items():
        for method, operation in operations.items():
            if (path, method) not in declared:
                describe_open(operation)
    return guarded


def _operation_id(method: str, template: str) -> str:
    slug = re.sub(r"[^a-z]+", "_", template.removeprefix("/api/v1/")).strip("_")
    # The short names of routes beside their long ones.
    alias = "" if template.startswith(_DIALECTS) else "alias_"
    return f"{method.lower()}_{alias}{slug}"
