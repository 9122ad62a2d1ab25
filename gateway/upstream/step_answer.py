"""A service's answer to one step of a composed request."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import orjson

from gateway.exceptions import StepFailed, UpstreamUnavailable
from gateway.upstream.leased import LeasedResponse
from gateway.upstream.protocol import UpstreamBroken, UpstreamTimeout
from shared.problem import DeadlineExceeded, SpeechgateError
from shared.tracing import RequestContext

_ERROR = 400
_SECOND = "retry-after"
_MAX_TOLD = 20


class StepAnswer(NamedTuple):
    """A whole answer.

    Attributes:
        status: Any but 401, which is an outage: the service doubts the gateway, not the sender.
        headers: By name in lower case.
        body: At most as long as the caller allowed.
        variant: Of the model: of the flag, or `default`, `pinned`, `fallback`.
        model: Reference that the flag chose and that answered; None for any other.
        replica: Base URL of the replica.
        seconds: From the call to the end of the answer.
        trace: Of the step: its own span, child of the request's.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    variant: str
    model: str | None
    replica: str
    seconds: float
    trace: RequestContext

    @property
    def ok(self) -> bool:
        """Whether the step was done."""
        return self.status < _ERROR

    def error(self) -> StepFailed | None:
        """Why it was not, as data; None when it was."""
        return None if self.ok else read_error(self.status, self.headers, self.body)

    def checked(self) -> "StepAnswer":
        """This answer.

        Raises:
            StepFailed: The step was not done.
        """
        error = self.error()
        if error is not None:
            raise error
        return self

    def json(self) -> Any:
        """The body of a step that was done.

        Raises:
            StepFailed: It was not.
            UpstreamUnavailable: The body is no JSON (code `upstream_broken`).
        """
        self.checked()
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise broken() from error


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> StepFailed:
    """The error that an answer states, in whichever dialect."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    said: Mapping[str, Any] = document if isinstance(document, dict) else {}
    for name in ("detail", "error"):  # ULCA's shape, and OpenAI's.
        if isinstance(said.get(name), dict):
            said = said[name]
            break
    code = said.get("code") or said.get("kind")
    detail = said.get("detail") or said.get("message")
    errors = said.get("errors")
    told = {"Retry-After": headers[_SECOND]} if _SECOND in headers else None
    return StepFailed(
        status,
        code if isinstance(code, str) else "upstream_error",
        detail if isinstance(detail, str) else "The service did not do this step.",
        [one for one in errors[:_MAX_TOLD] if isinstance(one, dict)]
        if isinstance(errors, list)
        else (),
        told,
    )


def broken() -> SpeechgateError:
    """An answer that is not what a service says."""
    return UpstreamUnavailable("The service's answer cannot be read.", code="upstream_broken")


class StepStream:
    """An answer whose body has not been read; valid inside its `async with` only.

    Attributes:
        status: See `StepAnswer`, as the other ones.
        code: Why its body has no end; None as long as it may have one.
    """

    __slots__ = ("_response", "code", "headers", "model", "replica", "status", "trace", "variant")

    def __init__(
        self, response: LeasedResponse, trace: RequestContext, variant: str, model: str | None
    ) -> None:
        self._response = response
        self.status = response.status
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers
        }
        self.replica = response.replica
        self.trace = trace
        self.variant = variant
        self.model = model
        self.code: str | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes; one that nobody takes is held back at the service.

        Raises:
            SpeechgateError: It broke off, or took too long.
        """
        try:
            part, more = self._response.take()
            while True:
                if part:
                    yield part
                if not more:
                    return
                part, more = await self._response.read()
        except UpstreamTimeout as error:
            raise self._failed(
                DeadlineExceeded("The service took too long.", code="upstream_timeout")
            ) from error
        except UpstreamBroken as error:
            raise self._failed(
                UpstreamUnavailable("The service broke off.", code="upstream_broken")
            ) from error

    async def read(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            SpeechgateError: As `parts`; or it is longer (code `upstream_answer_too_large`).
        """
        parts, size = [], 0
        async for part in self.parts():
            size += len(part)
            if size > max_bytes:
                raise self._failed(
                    UpstreamUnavailable(
                        "The service's answer is too large.", code="upstream_answer_too_large"
                    )
                )
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _failed(self, error: SpeechgateError) -> SpeechgateError:
        self.code = error.code
        return error
