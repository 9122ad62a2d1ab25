"""Temporary files for recordings: nameless from the start, together bounded.

A nameless file is gone with its last descriptor, so that not even a killed process leaves one.
"""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from prometheus_client import Gauge

from shared.audio.contract import SAMPLE_BYTES, Pcm16
from shared.metrics import Metrics
from shared.problem import Unavailable

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_NAMELESS_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


def scratch_full() -> Unavailable:
    """No room for another recording."""
    return Unavailable("There is no room for another recording.", code="scratch_full")


class Scratch:
    """Makes scratch files and counts their bytes; one per process.

    Args:
        folder: On a disk with room, created (0700) when absent.
        max_bytes: Bytes of all files together; beyond it, they refuse to grow.
        metrics: Where the bytes are shown.
    """

    def __init__(self, folder: Path, max_bytes: int, metrics: Metrics | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._used = 0
        if metrics is not None:
            gauge = Gauge(
                "speechgate_scratch_bytes",
                "Bytes of recordings in temporary files",
                registry=metrics.registry,
            )
            gauge.set_function(lambda: self._used)
            most = Gauge(
                "speechgate_scratch_bytes_max",
                "Bytes that temporary files may take",
                registry=metrics.registry,
            )
            most.set(max_bytes)

    @property
    def used(self) -> int:
        """Bytes that all files hold or have claimed."""
        return self._used

    def file(self) -> "ScratchFile":
        """A new, empty file.

        Raises:
            Unavailable: The disk is full, or the folder is gone.
        """
        try:
            return ScratchFile(self._nameless(), self._change)
        except OSError as error:
            raise scratch_full() from error

    def _nameless(self) -> int:
        try:
            return os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in _NO_NAMELESS_FILES:
                raise
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        Path(name).unlink(missing_ok=True)
        return descriptor

    def _change(self, change: int, *, at_most: bool = False) -> int:
        """Count bytes in or out; how many were counted, all of them unless `at_most` is set."""
        room = self._max_bytes - self._used
        if change > room:
            if not at_most:
                raise scratch_full()
            change = max(room, 0)
        self._used += change
        return change


class ScratchFile:
    """A nameless file, by `Scratch.file`; counted until it is closed.

    Attributes:
        descriptor: The open file.
        size: Bytes appended.
    """

    def __init__(self, descriptor: int, change: Callable[..., int]) -> None:
        self.descriptor = descriptor
        self.size = 0
        self.closed = False
        self._change = change
        self._counted = 0
        self._holders = 0

    def append(self, content: bytes | memoryview) -> None:
        """Write at the end.

        Raises:
            Unavailable: Code `scratch_full`.
        """
        if self.closed:
            raise ValueError("the file is closed")
        self._counted += self._change(len(content))
        view = memoryview(content)
        try:
            while view:
                written = os.pwrite(self.descriptor, view, self.size)
                self.size += written
                view = view[written:]
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise scratch_full() from error
            raise

    def claim(self, size: int) -> int:
        """Count up to `size` bytes that another process will write; how many it may."""
        self._counted += (claimed := self._change(size, at_most=True))
        return claimed

    def settle(self, size: int) -> None:
        """Count what the file holds, in place of what was claimed."""
        self._change(size - self._counted)
        self._counted = size

    def hold(self) -> Callable[..., None]:
        """Keep the file open, and counted, until the result is called once, whoever closes it."""
        self._holders += 1

        def release(*_: object) -> None:
            self._holders -= 1
            if self.closed and not self._holders:
                self._free()

        return release

    def close(self) -> None:
        """Free the file; harmless when it is closed."""
        if not self.closed:
            self.closed = True
            if not self._holders:
                self._free()

    def _free(self) -> None:
        os.close(self.descriptor)
        self._change(-self._counted)
        self._counted = 0

    def __enter__(self) -> Self:
        """The file itself; it is closed with the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


class StoredPcm:
    """Mono 16-bit PCM in a scratch file; a slice of it is read into memory.

    Args:
        file: Holds it; must stay open.
        offset: Where it begins, in bytes.
        length: Samples.
    """

    def __init__(self, file: ScratchFile, offset: int, length: int) -> None:
        self._file = file
        self._offset = offset
        self._length = length

    def __len__(self) -> int:
        """Samples."""
        return self._length

    def __getitem__(self, part: slice, /) -> Pcm16:
        """Consecutive samples, read now."""
        start, end, step = part.indices(self._length)
        if step != 1:
            raise ValueError("only consecutive samples can be read")
        if self._file.closed:
            raise ValueError("the recording is closed")
        place = self._offset + start * SAMPLE_BYTES
        content = os.pread(self._file.descriptor, max(end - start, 0) * SAMPLE_BYTES, place)
        return np.frombuffer(content, np.int16)
