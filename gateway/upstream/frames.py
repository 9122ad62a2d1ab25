"""Where WebSocket frames begin and end in a stream of bytes (RFC 6455 §5.2)."""

_CLOSE = 0x8
_PLAIN_HEAD = 2
_LENGTHS = {126: 2, 127: 8}
_MASK_BYTES = 4


def close_frame(code: int) -> bytes:
    """A server's close frame."""
    return b"\x88\x02" + code.to_bytes(2, "big")


class FrameTracker:
    """Follows one direction of a connection; payloads are skipped, not read.

    Attributes:
        closing: A close frame has begun; none may follow it.
    """

    __slots__ = ("_head", "_left", "closing")

    def __init__(self) -> None:
        self._head = b""  # Of a frame, as long as it is incomplete.
        self._left = 0  # Payload bytes that have not come yet.
        self.closing = False

    @property
    def between_frames(self) -> bool:
        """Whether another frame could be put here."""
        return not self._left and not self._head

    def feed(self, data: bytes, *, until_boundary: bool = False) -> int:
        """Follow what was sent.

        Args:
            data: The next bytes.
            until_boundary: Stop where the frame ends that `data` continues or begins.

        Returns:
            How many bytes were followed.
        """
        at, size = 0, len(data)
        if self._head:
            at = self._complete_head(data)
            if until_boundary and at and self.between_frames:
                return at
        while at < size:
            left = self._left
            if left:
                if left > size - at:
                    self._left = left - (size - at)
                    return size
                at += left
                self._left = 0
            else:
                taken = self._read_head(data, at)
                if not taken:
                    self._head = data[at:]
                    return size
                at += taken
            if until_boundary and not self._left:
                return at
        return at

    def _complete_head(self, data: bytes) -> int:
        """Bytes of `data` that belong to a head of which a part came before."""
        before = len(self._head)
        head = self._head + data[: _PLAIN_HEAD + 8 + _MASK_BYTES]
        taken = self._read_head(head, 0)
        if not taken:
            self._head = head
            return len(data)
        self._head = b""
        return taken - before

    def _read_head(self, data: bytes, at: int) -> int:
        """Length of the head at `at`; 0 when it is not there as a whole."""
        available = len(data) - at
        if available < _PLAIN_HEAD:
            return 0
        second = data[at + 1]
        payload, taken = second & 0x7F, _PLAIN_HEAD
        extended = _LENGTHS.get(payload)
        if extended is not None:
            taken += extended
        if second & 0x80:
            taken += _MASK_BYTES
        if available < taken:
            return 0
        if extended is not None:
            start = at + _PLAIN_HEAD
            payload = int.from_bytes(data[start : start + extended], "big")
        self._left = payload
        if data[at] & 0x0F == _CLOSE:
            self.closing = True
        return taken
