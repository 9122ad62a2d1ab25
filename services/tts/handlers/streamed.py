"""An answer that leaves while it is made.

Its status is decided when the first bytes are there: whatever fails before is an ordinary error.
After that, a failure is an event where there are events, else a broken connection: no client may
take half a file for a whole one.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.tts.models.speech import SpeechOrder
from services.tts.schemas.stream import EVENTS, Framing
from services.tts.services.speech import SpeechService
from services.tts.services.speech_stream import SpeechStream
from shared.asgi.disconnect import ClientLeft, until_disconnect, until_gone
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import SpeechgateError
from shared.serving import USED_HEADER

ID_HEADER = "x-speech-id"
_logger = get_logger(__name__)


async def streamed(
    request: Request,
    caller: Caller,
    order: SpeechOrder,
    framing: Framing,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer, as soon as its first bytes are there.

    Raises:
        SpeechgateError: There will be none.
    """
    service: SpeechService = request.state.context.speech
    stack = AsyncExitStack()
    try:
        stream = await until_disconnect(
            request, stack.enter_async_context(service.stream(caller, order))
        )
    except BaseException as error:
        # It may have begun just when the process gave up waiting for it.
        await stack.__aexit__(type(error), error, error.__traceback__)
        raise
    return _StreamedAnswer(stream, stack, framing, headers or {})


class _StreamedAnswer(Response):
    """Sends the parts of a stream; ends the work when the client leaves."""

    def __init__(
        self,
        stream: SpeechStream,
        stack: AsyncExitStack,
        framing: Framing,
        headers: Mapping[str, str],
    ) -> None:
        self._stream = stream
        self._stack = stack
        self._framing = framing
        self.status_code = 200
        self.background = None
        media_type = framing.media_type(stream)
        self.init_headers(
            {
                "content-type": media_type,
                USED_HEADER: stream.used,
                ID_HEADER: stream.id,
                **({"cache-control": "no-cache"} if media_type == EVENTS else {}),
                **headers,
            }
        )

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until the client has left."""
        try:
            async with self._stack:
                await until_gone(receive, self._relay(send))
                ending: bytes | None = self._framing.ending(self._stream)
        except ClientLeft:
            return
        except SpeechgateError as error:
            ending = self._framing.failure(error)
        except Exception as error:
            ending = self._framing.failure(
                SpeechgateError("Something went wrong on our side; quote the request id.")
            )
            if ending is None:
                raise
            _logger.error("unhandled error", exc_info=error)
        # Without an ending the server breaks the connection.
        if ending is not None:
            await send({"type": "http.response.body", "body": ending, "more_body": False})

    async def _relay(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _send_part(send, self._framing.opening(self._stream))
        async for part in self._stream.parts:
            await _send_part(send, self._framing.part(part))


async def _send_part(send: Send, content: bytes) -> None:
    if content:
        await send({"type": "http.response.body", "body": content, "more_body": True})
