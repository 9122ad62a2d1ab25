"""What the OpenAPI document says on every page, and the parts that all operations share."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.dialects import Dialect
from shared.problem import PROBLEM_MEDIA_TYPE

Document = dict[str, Any]

TAGS = {
    "asr": "Speech to text",
    "tts": "Text to speech",
    "nmt": "Translation",
    "nlp": "Text analysis",
    "pipeline": "Pipelines",
}

GUIDE = """
Speech and language models behind one gateway.

**Keys.** Send your key in any of `Authorization: Bearer <key>`, `Authorization: Apikey <key>`,
`Authorization: <key>` or `X-API-Key: <key>`; never in a URL. An operator makes keys with
`speechgate keys create --name me --scope asr:infer`.

Users sign in at `/api/v1/auth/login` and send the access token in the same place. Browsers, whose
WebSockets cannot send headers, get a ticket for one connection at `/api/v1/auth/tickets`.

**Limits.** Every key has three sliding windows, by default 60 requests in any minute, 1000 in any
hour and 10000 in any day. `RateLimit-Policy` lists them, `RateLimit` says what is left of the
tightest one, and a 429 carries `Retry-After` in seconds. Refused requests are not counted.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code` and the `request_id` to
quote; a 503 carries `Retry-After`. Paths of other dialects answer in their own shapes. Any path
may answer 405 to a method that it does not have, and 431 to a head that is too large.

**Tracing.** Every answer has `X-Request-ID` (yours, when you send a well-formed one) and
`traceparent` (W3C).
""".strip()

PROBLEM: Document = {
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
        "served": {
            "type": "array",
            "description": "Of a language that is not served: those that are.",
            "items": {"type": "string"},
        },
    },
}
OPENAI_ERROR: Document = {
    "type": "object",
    "title": "OpenAI error",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string", "description": "Stable and machine-readable."},
            },
        }
    },
}
ULCA_ERROR: Document = {
    "type": "object",
    "title": "ULCA error",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "object",
            "required": ["kind", "message"],
            "properties": {
                "kind": {"type": "string", "description": "Stable and machine-readable."},
                "message": {"type": "string"},
            },
        }
    },
}
# Name and definition of each dialect's error, and its media type.
ERRORS: Mapping[Dialect, tuple[str, Document, str]] = {
    Dialect.NATIVE: ("Problem", PROBLEM, PROBLEM_MEDIA_TYPE),
    Dialect.OPENAI: ("OpenAiError", OPENAI_ERROR, "application/json"),
    Dialect.ULCA: ("UlcaError", ULCA_ERROR, "application/json"),
}
HEADERS: Mapping[str, Document] = {
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
    "X-Model-Variant": {
        "schema": {"type": "string"},
        "description": "Which variant of a model served a proxied request; `default` without one.",
    },
}
COMMON_HEADERS = ("X-Request-ID", "RateLimit-Policy", "RateLimit")
RETRY_AFTER: Document = {"schema": {"type": "integer"}, "description": "Seconds."}
BAD_REQUEST, NOT_FOUND, TOO_SLOW, CONFLICT, TOO_LARGE, NO_MEDIA = 400, 404, 408, 409, 413, 415
UNPROCESSABLE, NO_UPGRADE, TOO_MANY, UPSTREAM_SLOW = 422, 426, 429, 504
SCHEMA_REF = "#/components/schemas/"
REFUSALS: Mapping[int, tuple[str, Sequence[str]]] = {
    BAD_REQUEST: ("The request is malformed.", ()),
    401: ("No key or token, or one that is malformed, unknown, revoked or expired.", ()),
    403: ("The sender lacks the permission.", ("RateLimit-Policy",)),
    NOT_FOUND: ("Nothing of yours has this id.", COMMON_HEADERS),
    TOO_SLOW: ("The body did not arrive in time.", COMMON_HEADERS),
    CONFLICT: ("What is stored does not allow it.", COMMON_HEADERS),
    TOO_LARGE: ("The body, or what it asks for, is too large.", COMMON_HEADERS),
    NO_MEDIA: ("The body is of another kind.", COMMON_HEADERS),
    UNPROCESSABLE: ("A member of the request is wrong; `errors` says which.", COMMON_HEADERS),
    NO_UPGRADE: ("The path speaks WebSocket only.", COMMON_HEADERS),
    TOO_MANY: ("A window of the key is full.", (*COMMON_HEADERS, "Retry-After")),
    503: ("A dependency is down or busy; try again.", ("Retry-After",)),
    UPSTREAM_SLOW: ("The work took longer than the request's deadline.", ()),
}
