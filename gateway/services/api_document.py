"""One OpenAPI document for the gateway and the services behind it."""

import asyncio
import copy
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gateway.models.routes import BodyBound, Route, Service
from shared.logging import get_logger

_logger = get_logger(__name__)
Document = dict[str, Any]
Fetch = Callable[[Service], Awaitable[Document]]

REFRESH_S, RETRY_S = 60.0, 5.0
_VARIABLE = re.compile(r"\{[^}]*\}")
_SCHEMA_REF = "#/components/schemas/"
_TAGS = {
    "asr": "Speech to text",
    "tts": "Text to speech",
    "nmt": "Translation",
    "nlp": "Text analysis",
}

GUIDE = """
Speech and language models behind one gateway.

**Keys.** Send your key in any of `Authorization: Bearer <key>`, `Authorization: Apikey <key>`,
`Authorization: <key>` or `X-API-Key: <key>`; never in a URL. An operator makes keys with
`speechgate keys create --name me --scope asr:infer`.

**Limits.** Every key has three sliding windows, by default 60 requests in any minute, 1000 in any
hour and 10000 in any day. `RateLimit-Policy` lists them, `RateLimit` says what is left of the
tightest one, and a 429 carries `Retry-After` in seconds. Refused requests are not counted.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code` and the `request_id` to
quote; a 503 carries `Retry-After`.

**Tracing.** Every answer has `X-Request-ID` (yours, when you send a well-formed one) and
`traceparent` (W3C).
""".strip()

_PROBLEM: Document = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong where (RFC 6901 pointers).",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "violated-policies": {"type": "array", "items": {"type": "string"}},
    },
}
_HEADERS: Mapping[str, Document] = {
    "X-Request-ID": {"schema": {"type": "string"}, "description": "Names this request in logs."},
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "All windows of the key.",
        "example": '"minute";q=60;w=60, "hour";q=1000;w=3600, "day";q=10000;w=86400',
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "The tightest window: `r` requests left, oldest one leaves in `t` seconds.",
        "example": '"minute";r=59;t=60',
    },
}
_RETRY_AFTER: Document = {"schema": {"type": "integer"}, "description": "Seconds."}
_BAD_REQUEST, _NOT_FOUND, _TOO_LARGE, _UNPROCESSABLE = 400, 404, 413, 422
_REFUSALS: Mapping[int, tuple[str, Sequence[str]]] = {
    _BAD_REQUEST: ("The request is malformed.", ()),
    401: ("No key, or one that is malformed, unknown, revoked or expired.", ()),
    403: ("The key lacks the scope.", ("RateLimit-Policy",)),
    _NOT_FOUND: ("Nothing of yours has this id.", tuple(_HEADERS)),
    _TOO_LARGE: ("The body is too large.", tuple(_HEADERS)),
    _UNPROCESSABLE: ("A member of the request is wrong; `errors` says which.", tuple(_HEADERS)),
    429: ("A window of the key is full.", (*_HEADERS, "Retry-After")),
    503: ("A dependency is down or busy; try again.", ("Retry-After",)),
}


class ApiDocument:
    """The merged document, refreshed from the services at most once a minute.

    Args:
        own: The gateway's own document.
        fetch: Gets a service's document.
        routes: What is public; anything else that a service offers is left out.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        own: Document,
        fetch: Fetch,
        routes: Sequence[Route],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
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
    schemas["Problem"] = _PROBLEM
    components["headers"] = {**_HEADERS, "Retry-After": _RETRY_AFTER}
    components["responses"] = {str(status): _refusal(status) for status in _REFUSALS}
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
        operation = operations.get(route.service, {}).get(key) or _undescribed(route)
        merged["paths"].setdefault(route.template, {})[route.method.lower()] = _guard(
            operation, route
        )
    return merged


def _refusal(status: int) -> Document:
    description, headers = _REFUSALS[status]
    content = {"application/problem+json": {"schema": {"$ref": f"{_SCHEMA_REF}Problem"}}}
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": content,
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
    """What the gateway adds to every operation."""
    task = route.template.split("/")[3]
    responses: Document = operation.setdefault("responses", {})
    for status, response in responses.items():
        if status.startswith("2"):
            response.setdefault("headers", {}).update(
                {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
            )
    has_body, has_id = route.body is not BodyBound.NONE, "{" in route.template
    applies = {_TOO_LARGE: has_body, _UNPROCESSABLE: has_body, _NOT_FOUND: has_id}
    for refusal in _REFUSALS:
        # A service's own word for a refusal gives way: the shape is the same everywhere.
        responses.pop(str(refusal), None)
        if applies.get(refusal, True):
            responses[str(refusal)] = {"$ref": f"#/components/responses/{refusal}"}
    parameters = [
        parameter
        for parameter in operation.get("parameters", [])
        if not str(parameter.get("name", "")).lower().startswith("x-sg-")
    ]
    slug = re.sub(r"[^a-z]+", "_", route.template.removeprefix("/api/v1/")).strip("_")
    operation |= {
        "tags": [_TAGS[task]],
        "operationId": f"{route.method.lower()}_{slug}",
        "parameters": parameters,
        "security": [{"Bearer": []}, {"ApiKey": []}],
        "x-required-scope": route.scope,
    }
    return operation
