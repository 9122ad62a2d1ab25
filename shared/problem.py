"""Errors with a stable code, and the one function that puts them on the wire (RFC 9457).

    SpeechgateError
    ├── BadRequest            400   malformed input
    │   └── InvalidField      422   one member of a well-formed document is wrong
    ├── Unauthenticated       401
    ├── Forbidden             403
    ├── NotFound              404
    │   └── RequestNotFound   404   a stored request
    ├── PayloadTooLarge       413
    ├── UnsupportedMedia      415
    ├── RateLimited           429
    └── Unavailable           503   a dependency is down or saturated
        └── DeadlineExceeded  504

Domain code raises these; handlers never build error bodies by hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

PROBLEM_MEDIA_TYPE = "application/problem+json"


class SpeechgateError(Exception):
    """Base of every error that a client may see.

    Args:
        detail: One sentence for the person who sent the request; never echoes input.
        code: Stable machine-readable code; the class's own when absent.
        headers: Extra response headers.
        members: Extra members of the problem document.
    """

    status: int = 500
    title: str = "Internal server error"
    default_code: str = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.headers = dict(headers or {})
        self.members = dict(members or {})


class BadRequest(SpeechgateError):
    """The request cannot be understood."""

    status = 400
    title = "Bad request"
    default_code = "bad_request"


class InvalidField(BadRequest):
    """A well-formed document has a member that is wrong; `pointer` names it (RFC 6901)."""

    status = 422
    title = "Unprocessable content"
    default_code = "invalid_field"

    def __init__(self, detail: str, *, pointer: str, code: str | None = None) -> None:
        super().__init__(
            detail, code=code, members={"errors": [{"pointer": pointer, "detail": detail}]}
        )


class Unauthenticated(SpeechgateError):
    """Nobody is known to have sent this."""

    status = 401
    title = "Unauthorized"
    default_code = "unauthenticated"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail, code=code, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(SpeechgateError):
    """The sender is known and may not do this."""

    status = 403
    title = "Forbidden"
    default_code = "forbidden"


class NotFound(SpeechgateError):
    """Nothing here, or nothing that this tenant may know of."""

    status = 404
    title = "Not found"
    default_code = "not_found"


class RequestNotFound(NotFound):
    """No stored request has this id, or none of this tenant's."""

    def __init__(self) -> None:
        super().__init__("No such request.")


class PayloadTooLarge(SpeechgateError):
    """A bound on size was passed."""

    status = 413
    title = "Content too large"
    default_code = "payload_too_large"


class UnsupportedMedia(SpeechgateError):
    """The format is not one that is read here."""

    status = 415
    title = "Unsupported media type"
    default_code = "unsupported_media_type"


class RateLimited(SpeechgateError):
    """A limit of the key was reached."""

    status = 429
    title = "Too many requests"
    default_code = "rate_limited"


class Unavailable(SpeechgateError):
    """A dependency is down or saturated; the same request may work later."""

    status = 503
    title = "Service unavailable"
    default_code = "unavailable"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: int = 1) -> None:
        super().__init__(detail, code=code, headers={"Retry-After": str(retry_after_s)})


class DeadlineExceeded(Unavailable):
    """The work did not end inside its deadline."""

    status = 504
    title = "Gateway timeout"
    default_code = "deadline_exceeded"


def validation_errors(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Pydantic's error list as `errors` members: a JSON pointer and a sentence, no input."""
    found = []
    for error in errors[:20]:
        location = [str(part) for part in error["loc"]]
        if location and location[0] in {"body", "query", "path", "header"}:
            location = location[1:]
        escaped = (part.replace("~", "~0").replace("/", "~1") for part in location)
        found.append({"pointer": "/" + "/".join(escaped), "detail": str(error["msg"])[:200]})
    return found


def problem_document(error: SpeechgateError, *, instance: str, request_id: str) -> dict[str, Any]:
    """The RFC 9457 document of an error."""
    return {
        "type": f"urn:speechgate:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "request_id": request_id,
        **error.members,
    }


def problem_body(error: SpeechgateError, *, instance: str, request_id: str) -> bytes:
    """The encoded RFC 9457 document of an error."""
    return orjson.dumps(problem_document(error, instance=instance, request_id=request_id))
