"""A file as the decoder reads it: by position, perhaps without its first bytes or with a patch."""

import io
import os
from typing import Any

_MAX_PART = 1 << 20


class FileView(io.RawIOBase):
    """Bytes of an open file from `start` on; never more than asked for is in memory.

    Args:
        descriptor: The file; its own position is neither used nor moved.
        size: Bytes of the whole file.
        start: Where the view begins.
        patch: Bytes that are read instead of the file's, and their place in the view.
    """

    def __init__(
        self, descriptor: int, size: int, *, start: int = 0, patch: tuple[int, bytes] | None = None
    ) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._start = min(start, size)
        self._patch = patch
        self._position = 0
        self.size = size - self._start

    def without(self, count: int) -> "FileView":
        """The view without its first bytes."""
        return FileView(self._descriptor, self._start + self.size, start=self._start + count)

    def patched(self, place: int, content: bytes) -> "FileView":
        """The view with some bytes replaced."""
        whole = self._start + self.size
        return FileView(self._descriptor, whole, start=self._start, patch=(place, content))

    def part(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, as far as there are any."""
        start, end = max(start, 0), min(end, self.size)
        if start >= end:
            return b""
        content = os.pread(self._descriptor, end - start, self._start + start)
        if self._patch is None:
            return content
        place, replacement = self._patch
        first, last = max(place, start), min(place + len(replacement), start + len(content))
        if first >= last:
            return content
        middle = replacement[first - place : last - place]
        return content[: first - start] + middle + content[last - start :]

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer from the current position; the number of bytes read."""
        target = memoryview(buffer).cast("B")
        content = self.part(self._position, self._position + min(len(target), _MAX_PART))
        target[: len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move the view's own position; the new one."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        """The view's own position."""
        return self._position
