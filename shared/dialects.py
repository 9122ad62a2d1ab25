"""In which shape an error goes out: decided by the request's path, here and nowhere else.

| path | dialect | document |
|---|---|---|
| `/v1/…` | OpenAI | `{"error": {"message", "type", "param", "code"}}` |
| `/services/inference/…` | ULCA, as Dhruva serves it | `{"detail": {"kind", "message"}}` |
| any other | native | RFC 9457 problem details |

Gateway and services answer through `wire_error`, so a client meets one shape per path, whoever
refuses it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import orjson

from shared.problem import PROBLEM_MEDIA_TYPE, SpeechgateError, problem_body

_JSON = "application/json"
_UNAUTHENTICATED, _NOT_FOUND, _UNPROCESSABLE, _TOO_MANY = 401, 404, 422, 429
_BAD_REQUEST, _SERVER_FAULT = 400, 500


class Dialect(StrEnum):
    """Whose clients use a path."""

    NATIVE = "native"
    OPENAI = "openai"
    ULCA = "ulca"


_PREFIXES: tuple[tuple[str, Dialect], ...] = (
    ("/v1/", Dialect.OPENAI),
    ("/services/inference/", Dialect.ULCA),
)
# Codes that clients of OpenAI's service look for, in place of our own.
_OPENAI_CODES: Mapping[str, str] = {
    "unknown_model": "model_not_found",
    "rate_limited": "rate_limit_exceeded",
}
# Members of the native requests, by the fields that stand for them in OpenAI's forms.
_OPENAI_FIELDS: Mapping[str, str] = {
    "serviceId": "model",
    "service_id": "model",
    "sourceLanguage": "language",
    "audio": "file",
    "audioContent": "file",
    "source": "input",
    "audioFormat": "response_format",
}


class WireError(NamedTuple):
    """An error as it is sent; its headers are the error's own."""

    status: int
    media_type: str
    body: bytes


def dialect_of(path: str) -> Dialect:
    """The dialect of a path."""
    for prefix, dialect in _PREFIXES:
        if path.startswith(prefix):
            return dialect
    return Dialect.NATIVE


def wire_error(error: SpeechgateError, *, path: str, request_id: str) -> WireError:
    """The error in the shape of the path's dialect.

    Args:
        error: What to say.
        path: Of the request, without its query.
        request_id: Goes into native documents; every dialect has it as a header.
    """
    dialect = dialect_of(path)
    if dialect is Dialect.OPENAI:
        return _openai(error)
    if dialect is Dialect.ULCA:
        document = {"detail": {"kind": error.code, "message": _message(error, {})}}
        return WireError(error.status, _JSON, orjson.dumps(document))
    body = problem_body(error, instance=path, request_id=request_id)
    return WireError(error.status, PROBLEM_MEDIA_TYPE, body)


def _openai(error: SpeechgateError) -> WireError:
    """https://platform.openai.com/docs/guides/error-codes."""
    status, kind = error.status, "invalid_request_error"
    code = _OPENAI_CODES.get(error.code, error.code)
    if error.code == "unknown_model":
        status = _NOT_FOUND
    elif status == _UNPROCESSABLE:
        status = _BAD_REQUEST
    elif status == _UNAUTHENTICATED:
        code = "invalid_api_key"
    elif status == _TOO_MANY:
        kind = "requests"
    elif status >= _SERVER_FAULT:
        kind = "server_error"
    field, _ = _first_place(error, _OPENAI_FIELDS)
    message = _message(error, _OPENAI_FIELDS)
    document = {"error": {"message": message, "type": kind, "param": field or None, "code": code}}
    return WireError(status, _JSON, orjson.dumps(document))


def _message(error: SpeechgateError, names: Mapping[str, str]) -> str:
    """The detail; with the first thing that is wrong, where the detail does not say it."""
    field, reason = _first_place(error, names)
    if not reason or reason == error.detail:
        return error.detail
    return f"{error.detail} {field}: {reason}" if field else f"{error.detail} {reason}"


def _first_place(error: SpeechgateError, names: Mapping[str, str]) -> tuple[str, str]:
    """Name of the field, and the reason, of the error's first place; empty without one.

    Args:
        error: May name places.
        names: The dialect's own, by those of the native requests.
    """
    for place in error.members.get("errors", ())[:1]:
        parts = [part for part in str(place["pointer"]).split("/") if part and not part.isdigit()]
        name = parts[-1] if parts else ""
        return names.get(name, name), str(place["detail"])
    return "", ""
