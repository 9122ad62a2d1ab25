"""What encoders write into: bytes leave as they are made."""

import os


class ByteSink:
    """A file in memory whose front is taken away while its end still grows.

    Some encoders go back at their end to write totals into the header. Where the header has left
    already, that is dropped: the file then says "unknown", as its format allows.
    """

    def __init__(self) -> None:
        self._kept = bytearray()
        self._taken = 0
        self._place = 0

    @property
    def size(self) -> int:
        """Bytes written so far, taken or not."""
        return self._taken + len(self._kept)

    def take(self) -> bytes:
        """What nobody has taken yet."""
        taken = bytes(self._kept)
        self._taken += len(taken)
        self._kept.clear()
        return taken

    # What an encoder calls.

    def write(self, data: bytes | memoryview) -> int:
        """Write at the current place."""
        content = bytes(data)
        start = self._place - self._taken
        self._place += len(content)
        visible = content[max(-start, 0) :]
        start = max(start, 0)
        self._kept[start : start + len(visible)] = visible
        return len(content)

    def read(self, _: int = -1) -> bytes:
        """Nothing: it is written only."""
        return b""

    def readinto(self, _: memoryview) -> int:
        """Nothing: it is written only."""
        return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; where it was taken, writing has no effect."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        """The current place."""
        return self._place

    def flush(self) -> None:
        """Nothing waits."""
