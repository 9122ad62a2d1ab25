"""One side of a WebSocket whose frames the gateway reads (RFC 6455), without extensions."""

import logging
from collections.abc import Callable

from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State

SERVER, CLIENT = Side.SERVER, Side.CLIENT
_INVALID_DATA = 1007
# The library would log what it reads, at its lowest level.
_QUIET = logging.getLogger("speechgate.websocket")
_QUIET.setLevel(logging.WARNING)


class WebSocket:
    """Messages of an open connection, in both directions.

    Args:
        side: `SERVER` towards a client, `CLIENT` towards a service.
        write: Sends bytes.
        max_bytes: Of a message that is received; a larger one ends the connection with 1009.

    Attributes:
        close_code: What the other side closed with; None as long as it did not.
    """

    def __init__(self, side: Side, write: Callable[[bytes], None], max_bytes: int) -> None:
        self._protocol = Protocol(side, max_size=max_bytes, logger=_QUIET)
        self._write = write
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self.close_code: int | None = None

    @property
    def open(self) -> bool:
        """Whether neither side has begun to close."""
        return self._protocol.state is State.OPEN

    def receive(self, data: bytes) -> list[str | bytes]:
        """The messages that are whole with these bytes; pings and the closing are answered."""
        protocol, found = self._protocol, list[str | bytes]()
        if protocol.eof_sent or protocol.state is State.CLOSED:
            return found
        protocol.receive_data(data)
        for event in protocol.events_received():
            opcode = getattr(event, "opcode", None)
            if opcode is Opcode.CLOSE:
                self.close_code = protocol.close_rcvd.code if protocol.close_rcvd else None
            elif opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if opcode is not Opcode.CONT:
                    self._opcode = opcode
                self._parts.append(bytes(event.data))  # type: ignore[union-attr] # a Frame
                if event.fin:  # type: ignore[union-attr] # likewise
                    message = self._message()
                    if message is None:
                        break
                    found.append(message)
        self._flush()
        return found

    def send(self, message: str | bytes) -> None:
        """Send a message; nothing once the connection closes."""
        if not self.open:
            return
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._flush()

    def close(self, code: int) -> None:
        """Begin to close."""
        if self.open:
            self._protocol.send_close(code)
            self._flush()

    def _message(self) -> str | bytes | None:
        """The message whose last part has come; None: it is no text, and the connection ends."""
        data = b"".join(self._parts)
        self._parts.clear()
        if self._opcode is Opcode.BINARY:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            self._protocol.fail(_INVALID_DATA)
            return None

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # Nothing stands for the end; whoever owns the connection closes it.
                self._write(data)
