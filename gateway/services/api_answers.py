"""Which refusals an operation can answer, each in the shape of its dialect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.models.routes import BodyBound, OwnRoute, Route, Transport
from gateway.services.api_texts import (
    BAD_REQUEST,
    COMMON_HEADERS,
    CONFLICT,
    ERRORS,
    HEADERS,
    NO_MEDIA,
    NO_UPGRADE,
    NOT_FOUND,
    REFUSALS,
    SCHEMA_REF,
    TOO_LARGE,
    TOO_MANY,
    TOO_SLOW,
    UNPROCESSABLE,
    UPSTREAM_SLOW,
    Document,
)
from shared.dialects import Dialect, dialect_of

_AUDIO = frozenset({BodyBound.AUDIO, BodyBound.RECORDING})
_STRING: Document = {"type": "string"}
_ENGINE_IO = (
    ("EIO", True, {"type": "string", "enum": ["4"]}),
    ("transport", True, {"type": "string", "enum": ["polling", "websocket"]}),
    ("sid", False, _STRING),
    *(
        (name, False, _STRING)
        for name in (
            *("serviceId", "language", "samplingRate", "audioFormat"),
            *("voice_id", "gender", "apiKey"),
        )
    ),
)
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_BOUNDS = ("pattern", "minLength", "maxLength", "format", "enum", "minimum", "maximum")
# FastAPI's own word for a 422: it says nothing that ours does not.
_PLAIN = "Validation Error"


@dataclass(frozen=True, slots=True)
class Nature:
    """What decides how an operation may be refused.

    Attributes:
        dialect: Of its path.
        takes_body: It reads a body.
        takes_audio: It looks at the kind of that body.
        has_id: Its path names an object.
        limited: Its sender's windows are counted.
        slow: It waits for a service.
        upgrades: It opens a WebSocket, and speaks nothing else.
        streams: It is a connection of packets or frames.
        checks_ids: An id is looked at before the object is looked for.
        headers: What the gateway adds to every answer.
    """

    dialect: Dialect
    takes_body: bool
    takes_audio: bool
    has_id: bool
    limited: bool
    slow: bool
    upgrades: bool
    streams: bool
    checks_ids: bool
    headers: Sequence[str]

    @classmethod
    def of(cls, route: Route) -> "Nature":
        """A route of a service."""
        return cls(
            dialect_of(route.template),
            route.body is not BodyBound.NONE,
            route.body in _AUDIO and route.transport is Transport.HTTP,
            "{" in route.template,
            limited=True,
            slow=True,
            upgrades=route.transport is Transport.WEBSOCKET,
            streams=route.transport is not Transport.HTTP,
            checks_ids=True,
            headers=tuple(HEADERS),
        )

    @classmethod
    def of_own(cls, route: OwnRoute) -> "Nature":
        """A route of the gateway; its table has refused an id that can be none."""
        return cls(
            dialect_of(route.template),
            route.method in _WITH_BODY,
            route.body in _AUDIO,
            "{" in route.template,
            limited=route.permission is not None,
            slow=route.composed,
            upgrades=False,
            streams=False,
            checks_ids=False,
            headers=COMMON_HEADERS if route.permission is not None else COMMON_HEADERS[:1],
        )


def common_refusals() -> Document:
    """What operations refer to, by name."""
    return {
        f"{dialect}-{status}": _refusal(dialect, status)
        for dialect in Dialect
        for status in REFUSALS
    }


def describe_answers(operation: Document, nature: Nature) -> None:
    """Write the refusals, and the headers of other answers, into an operation."""
    responses: Document = operation.setdefault("responses", {})
    for code, response in responses.items():
        if code.startswith("2"):
            response.setdefault("headers", {}).update(
                {name: {"$ref": f"#/components/headers/{name}"} for name in nature.headers}
            )
    for status in REFUSALS:
        # The shape is the same everywhere; a handler's own word for the reason stays.
        declared = responses.pop(str(status), None)
        if not _applies(status, operation, nature, declared=declared is not None):
            continue
        reason = (declared or {}).get("description", _PLAIN)
        if reason == _PLAIN:
            refusal = {"$ref": f"#/components/responses/{nature.dialect}-{status}"}
        else:
            refusal = _refusal(nature.dialect, status, reason)
            # What a library below the handlers says in its own way.
            refusal["content"] |= (declared or {}).get("content", {})
        responses[str(status)] = refusal
    operation["responses"] = dict(sorted(responses.items()))


def describe_open(operation: Document) -> None:
    """The refusals of a path that needs no key."""
    responses: Document = operation.setdefault("responses", {})
    responses[str(BAD_REQUEST)] = {"$ref": f"#/components/responses/native-{BAD_REQUEST}"}


def stream_operation(method: str, transport: Transport) -> Document:
    """What the document says of a connection that is not one request and one answer."""
    opened = {"101": {"description": "The stream is open."}}
    if transport is Transport.WEBSOCKET:
        return {"summary": "A stream over WebSocket", "responses": opened}
    packets = {"text/plain": {"schema": {"type": "string"}}}
    polled: Document = {
        "200": {"description": "Packets of Engine.IO", "content": packets},
        str(BAD_REQUEST): {"description": "No request of Engine.IO 4.", "content": packets},
    }
    operation: Document = {
        "summary": "Streams over Socket.IO 4",
        "parameters": [
            {"name": name, "in": "query", "required": needed, "schema": schema}
            for name, needed, schema in _ENGINE_IO
        ],
        "responses": polled if method == "POST" else opened | polled,
    }
    if method == "POST":
        operation["requestBody"] = {"required": True, "content": packets}
    return operation


def _applies(status: int, operation: Document, nature: Nature, *, declared: bool) -> bool:
    openai = nature.dialect is Dialect.OPENAI
    reads_body = nature.takes_body and "requestBody" in operation
    if status == UNPROCESSABLE:
        # OpenAI's clients know no 422; a model that is unknown is a 404 to them.
        return (
            not openai
            and not nature.streams
            and (reads_body or _checked(operation, ids=nature.checks_ids))
        )
    decided = {
        # An id may also be in the body: the operation says so itself.
        NOT_FOUND: nature.has_id or (reads_body and openai) or declared,
        TOO_SLOW: nature.takes_body,
        TOO_LARGE: nature.takes_body,
        CONFLICT: declared,
        NO_MEDIA: nature.takes_audio,
        NO_UPGRADE: nature.upgrades,
        TOO_MANY: nature.limited or declared,
        UPSTREAM_SLOW: nature.slow,
    }
    return decided.get(status, True)


def _checked(operation: Document, *, ids: bool) -> bool:
    """Whether a parameter can be wrong."""
    return any(
        parameter["in"] == "query" or (ids and parameter["in"] == "path")
        for parameter in operation.get("parameters", ())
        if _bounded(parameter.get("schema", {}))
    )


def _bounded(schema: Document) -> bool:
    if "$ref" in schema or any(bound in schema for bound in _BOUNDS):
        return True
    if any(_bounded(one) for one in schema.get("anyOf", ())):
        return True
    return schema.get("type") not in ("string", "null", None)


def _refusal(dialect: Dialect, status: int, reason: str | None = None) -> Document:
    description, headers = REFUSALS[status]
    name, _, media_type = ERRORS[dialect]
    content: dict[str, Any] = {media_type: {"schema": {"$ref": SCHEMA_REF + name}}}
    return {
        "description": reason or description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": content,
    }
