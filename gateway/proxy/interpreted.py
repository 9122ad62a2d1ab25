"""The client's end of a speech-to-speech stream.

The client sends `start`, then audio, `flush` where it wants to, and `stop`. It is told what
recognition says (`ready`, `speech_started`, `partial`, `final`, `speech_ended`, `ack`), and of each
final, in order, its `translation` and then `audio` with the sound behind it; in place of either
`segment_failed`. After `done` or `error` the connection closes. Both the client's frames and the
service's are read here, unlike those of a tunnel.
"""

import asyncio
import binascii
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson

from gateway.models.streams import StreamBounds
from gateway.proxy.watch import StreamWatch
from gateway.proxy.websocket import CLIENT, SERVER, WebSocket
from gateway.server.connection import HttpConnection
from gateway.services.pipelines.interpreter import Interpreter, Sound, Steps
from gateway.services.pipelines.speech_start import SpeechStart, parse_message
from gateway.upstream.tunnel import Tunnel
from shared.logging import get_logger
from shared.problem import BadRequest, SpeechgateError
from shared.streams import (
    INTERNAL,
    NORMAL,
    POLICY,
    RESTART,
    TRY_LATER,
    already_started,
    not_started,
)

_logger = get_logger(__name__)
_MAX_MESSAGE_BYTES = 1 << 20
_MAX_EVENT_BYTES = 8 << 20
_MAX_SOUND_PART = 64 * 1024
_CLOSE_WAIT_S = 2.0
_BROKEN = {"type": "error", "code": "upstream_broken", "detail": "Recognition broke off."}
_FLUSH, _STOP = '{"type":"flush"}', '{"type":"stop"}'


class InterpretedEnd:
    """Reads a client's frames, and a replica's, and has finals translated and spoken.

    Args:
        connection: Of the client.
        tunnel: To the replica that recognizes, after its 101.
        bounds: Of the stream.
        stay: Called every two seconds; raises when the sender may not stay.
        steps: Does the other steps.

    Attributes:
        reason: Why the gateway ended the stream; None when a side did.
    """

    def __init__(
        self,
        connection: HttpConnection,
        tunnel: Tunnel,
        bounds: StreamBounds,
        stay: Callable[[], Awaitable[None]],
        steps: Steps,
    ) -> None:
        self.reason: str | None = None
        self._connection = connection
        self._tunnel = tunnel
        self._steps = steps
        self._client = WebSocket(SERVER, connection.write, _MAX_MESSAGE_BYTES)
        self._service = WebSocket(CLIENT, tunnel.write, _MAX_EVENT_BYTES)
        self._start: SpeechStart | None = None
        self._interpreter: Interpreter | None = None
        self._telling: asyncio.Task[None] | None = None
        self._goodbye: dict[str, Any] | None = None
        self._holding: set[str] = set()
        self._finished: asyncio.Future[None] = connection.loop.create_future()
        self._writable = asyncio.Event()
        self._writable.set()
        self._active_at = connection.loop.time()
        self._watch = StreamWatch(bounds, self._active_at, stay, self._end)
        self._give_up_at: float | None = None

    async def run(self) -> None:
        """Until a side closes, or a bound is passed."""
        self._connection.take_over(self)
        self._tunnel.attach(self)
        try:
            await self._finished
        finally:
            self._watch.stop()
            if self._telling is not None:
                self._telling.cancel()
            if self._interpreter is not None:
                self._interpreter.close()
            self._tunnel.close()
            self._connection.close()

    # What the client's connection calls.

    def received(self, data: bytes) -> None:
        """Bytes of the client."""
        self._active_at = self._connection.loop.time()
        verdict = self._watch.count(len(data))
        if verdict is not None:
            self._end(*verdict)
            return
        for message in self._client.receive(data):
            if self._give_up_at is None:
                try:
                    self._take(message)
                except SpeechgateError as error:
                    self._refuse(error)
        if not self._client.open and (
            self._give_up_at is None or self._client.close_code is not None
        ):
            self._finish()  # It closed, or what it sent is no WebSocket.

    def lost(self) -> None:
        """The client is gone."""
        self._finish()

    def slow_down(self) -> None:
        """The client reads too slowly: nothing more is told, nor taken, until it has caught up."""
        self._writable.clear()
        self._tunnel.pause()

    def go_on(self) -> None:
        """The client has caught up."""
        self._writable.set()
        self._active_at = self._connection.loop.time()
        self._tunnel.resume()

    def drain(self) -> None:
        """The process ends soon: tell the client to connect again."""
        self._end(RESTART, "draining")

    def check(self, now: float) -> None:
        """Keep the bounds."""
        if self._give_up_at is not None:
            if now >= self._give_up_at:
                self._connection.abort()
            return
        verdict = self._watch.check(now, max(self._active_at, self._tunnel.active_at))
        if verdict is None:
            return
        self._end(*verdict)
        if not self._writable.is_set():
            self._connection.abort()  # It reads nothing: no close frame would reach it.

    # What the tunnel calls.

    def write(self, data: bytes) -> None:
        """Bytes of the replica."""
        for message in self._service.receive(data):
            if self._give_up_at is None and isinstance(message, str):
                self._hear(message)

    def close(self) -> None:
        """The replica has closed; what it said before is still translated and spoken."""
        if self._goodbye is None:
            self._goodbye = dict(_BROKEN)
        self._say_goodbye()

    def pause(self) -> None:
        """The replica reads too slowly."""
        self._hold("replica", held=True)

    def resume(self) -> None:
        """The replica has caught up."""
        self._hold("replica", held=False)

    # What this class does with it.

    def _take(self, message: str | bytes) -> None:
        """A message of the client."""
        if self._start is None:
            self._begin(message)
        elif isinstance(message, bytes):
            self._service.send(message)
        else:
            match parse_message(message).get("type"):
                case "flush":
                    self._service.send(_FLUSH)
                case "stop":
                    self._service.send(_STOP)
                case "start":
                    raise already_started()
                case _:
                    raise BadRequest("There is no such message.", code="invalid_message")

    def _begin(self, message: str | bytes) -> None:
        document = parse_message(message) if isinstance(message, str) else {}
        if document.get("type") != "start":
            raise not_started()
        start = self._start = SpeechStart.read(document)
        self._interpreter = Interpreter(
            start, self._steps, self._tell, partial(self._hold, "untold")
        )
        self._telling = asyncio.create_task(self._interpret(self._interpreter), name="interpret")
        self._service.send(orjson.dumps(start.recognition()).decode())

    def _hear(self, message: str) -> None:
        """An event of recognition."""
        event: dict[str, Any] = orjson.loads(message)
        start, interpreter = self._start, self._interpreter
        kind = event.get("type")
        if kind == "error":
            self._goodbye = event  # Its close code is still to come.
            return
        if start is None or interpreter is None:
            return
        if kind == "ready":
            event |= {
                "source_language": start.source_language,
                "target_language": start.target_language,
                "audio": start.audio,
            }
        elif kind == "final" and str(event.get("text", "")).strip():
            event["segment"] = interpreter.add(event["text"], event["start"], event["end"])
        elif kind == "done":
            self._goodbye = event
            self._say_goodbye()
            return
        self._client.send(orjson.dumps(event).decode())

    def _say_goodbye(self) -> None:
        """End after all that was said is told."""
        if self._interpreter is None:
            self._part()
        else:
            self._interpreter.end()

    def _part(self) -> None:
        event, interpreter = self._goodbye or {}, self._interpreter
        if event.get("type") == "done" and interpreter is not None:
            event["segments"] = interpreter.utterances
            event["segments_failed"] = interpreter.failed
        self._client.send(orjson.dumps(event).decode())
        code = NORMAL if event.get("type") == "done" else self._service.close_code or TRY_LATER
        self._end(code, None if code == NORMAL else str(event.get("code")))

    async def _interpret(self, interpreter: Interpreter) -> None:
        try:
            await interpreter.run()
            await self._writable.wait()
        except Exception as error:
            _logger.error("a stream failed", exc_info=error)
            self._end(INTERNAL, "internal_error")
        else:
            self._part()

    async def _tell(self, event: dict[str, Any], sound: Sound | None) -> None:
        """An event, and the sound behind it, as fast as the client takes them."""
        parts: list[bytes] = []
        if sound is not None and self._start is not None and self._start.audio == "base64":
            event["content"] = sound.content
        elif sound is not None:
            content = binascii.a2b_base64(sound.content)
            event["bytes"] = len(content)
            parts = [
                content[at : at + _MAX_SOUND_PART] for at in range(0, len(content), _MAX_SOUND_PART)
            ]
        await self._writable.wait()
        self._client.send(orjson.dumps(event).decode())
        for part in parts:
            await self._writable.wait()
            self._client.send(part)
        self._active_at = self._connection.loop.time()

    def _hold(self, why: str, held: bool) -> None:  # noqa: FBT001 - as a callback gives it
        """Take audio, or none: while much is still to be told, or the replica is slow."""
        if held:
            self._holding.add(why)
            self._connection.pause_reading()
            return
        self._holding.discard(why)
        if not self._holding:
            self._connection.resume_reading()

    def _refuse(self, error: SpeechgateError) -> None:
        """The client said something that ends the stream."""
        event = {"type": "error", "code": error.code, "detail": error.detail}
        self._client.send(orjson.dumps(event).decode())
        self._end(POLICY, error.code)

    def _end(self, code: int, reason: str | None) -> None:
        """Close with a code (RFC 6455 §7.4); the client answers it, or is dropped."""
        if self._give_up_at is None:
            self.reason = reason
            self._client.close(code)
            self._tunnel.close()
            self._connection.resume_reading()
            self._give_up_at = self._connection.loop.time() + _CLOSE_WAIT_S

    def _finish(self) -> None:
        if not self._finished.done():
            self._finished.set_result(None)
