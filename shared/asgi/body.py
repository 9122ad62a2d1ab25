"""Bounds on the size of a request body and on how long its sender may take."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.asgi.errors import send_problem
from shared.problem import BadRequest, PayloadTooLarge, SpeechgateError


class RequestTimeout(BadRequest):
    """The client stopped sending."""

    status = 408
    title = "Request timeout"
    default_code = "request_timeout"


class BodyLimitMiddleware:
    """Refuse a body that is larger than `max_bytes` or stalls for `receive_timeout_s`.

    `larger` has the bounds of paths that take more.

    A declared length is refused before a byte is read; a chunked body when it passes the bound.
    uvicorn has neither bound.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        receive_timeout_s: float,
        larger: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = larger or {}
        self._timeout_s = receive_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with a bounded `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        max_bytes = self._larger.get(scope["path"], self._max_bytes)
        if int(declared) > max_bytes:
            await send_problem(scope, send, _too_large(max_bytes))
            return
        received = 0
        body_ended = False
        answered = False

        async def bounded_receive() -> Message:
            nonlocal received, body_ended
            if body_ended:
                return await receive()  # Only a disconnect can follow; waiting for it is normal.
            try:
                async with asyncio.timeout(self._timeout_s):
                    message = await receive()
            except TimeoutError:
                raise RequestTimeout("The request body did not arrive in time.") from None
            received += len(message.get("body", b""))
            if received > max_bytes:
                raise _too_large(max_bytes)
            body_ended = not message.get("more_body", False)
            return message

        async def noting_send(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, bounded_receive, noting_send)
        except (PayloadTooLarge, RequestTimeout) as error:
            if answered:
                raise
            await send_problem(scope, send, error)


def _too_large(max_bytes: int) -> SpeechgateError:
    return PayloadTooLarge(f"The request body is larger than {max_bytes} bytes.")
