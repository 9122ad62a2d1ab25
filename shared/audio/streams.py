"""Audio files as streams of blocks: what libsndfile reads, and what has no header."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from shared.audio.containers import Container
from shared.audio.formats import INT16_SCALE, AudioFormat
from shared.audio.g711 import TABLES
from shared.audio.view import FileView

Float = NDArray[np.float32]
BLOCK_SAMPLES = 65_536
_UNKNOWN_FRAMES = 1 << 40
_PIPE_PART = 1 << 16


class DecodeFailure(Exception):
    """The audio is refused; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class AudioStream:
    """An open file.

    Attributes:
        rate: In Hz.
        channels: In each block.
        blocks: `[n, channels] float32`, full scale 1, in order; a block may be reused by the next.
        claimed: Frames that the header promises; None where it promises none.
        exact: As in `Container`.
        tolerance: As in `Container`.
        truncated: As in `Container`.
    """

    rate: int
    channels: int
    blocks: Iterator[Float]
    claimed: int | None = None
    exact: bool = False
    tolerance: float = 0.0
    truncated: bool = False


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc] # untyped base
    """Reads straight on: the base class seeks after each block, which costs and loses frames."""

    def seekable(self) -> bool:
        """Never seek."""
        return False


@contextmanager
def open_with_libsndfile(container: Container, audio_format: AudioFormat) -> Iterator[AudioStream]:
    """A wav, flac, mp3 or Ogg file.

    Raises:
        DecodeFailure: It is none.
    """
    with ExitStack() as stack:
        source: Any = container.content
        if audio_format is AudioFormat.MP3:
            # From a file, libsndfile ends an mp3 of variable bit rate where the first rate says.
            source = _as_pipe(container.content)
            stack.callback(os.close, source)
        try:
            file = _SequentialFile(source, closefd=False)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise DecodeFailure(
                "audio_truncated" if container.truncated else "not_audio"
            ) from error
        stack.callback(file.close)
        frames = int(file.frames)
        known = frames if 0 < frames < _UNKNOWN_FRAMES else None
        yield AudioStream(
            int(file.samplerate),
            int(file.channels),
            _sound_blocks(file, container),
            container.claimed_frames or known,
            container.exact,
            container.tolerance if container.claimed_frames is not None else 1.0,
            container.truncated,
        )


def _as_pipe(content: FileView) -> int:
    """The reading end of a pipe that a thread fills; closing it ends the thread."""
    reader, writer = os.pipe()

    def feed() -> None:
        place = 0
        with suppress(BrokenPipeError), os.fdopen(writer, "wb", buffering=0) as pipe:
            while part := content.part(place, place + _PIPE_PART):
                place += pipe.write(part)

    threading.Thread(target=feed, daemon=True).start()
    return reader


def _sound_blocks(file: Any, container: Container) -> Iterator[Float]:
    buffer: Float = np.empty((BLOCK_SAMPLES // file.channels, file.channels), np.float32)
    first = True
    while True:
        try:
            count = file.buffer_read_into(buffer, "float32")
        except soundfile.LibsndfileError as error:
            # Noise can look like an mp3's frame header, but not like any other header.
            noise = first and file.format == "MP3" and container.claimed_frames is None
            raise DecodeFailure("not_audio" if noise else "audio_truncated") from error
        if not count:
            return
        first = False
        yield buffer[:count]


def open_headerless(content: FileView, audio_format: AudioFormat, rate: int) -> AudioStream:
    """PCM, µ-law or A-law as it is, mono.

    Raises:
        DecodeFailure: It ends inside a sample.
    """
    width = 2 if audio_format is AudioFormat.PCM else 1
    if content.size % width:
        raise DecodeFailure("audio_truncated")
    blocks = _headerless_blocks(content, audio_format, BLOCK_SAMPLES * width)
    return AudioStream(rate, 1, blocks, content.size // width, exact=True)


def _headerless_blocks(content: FileView, kind: AudioFormat, size: int) -> Iterator[Float]:
    for start in range(0, content.size, size):
        part = content.part(start, start + size)
        if kind is AudioFormat.PCM:
            block = np.frombuffer(part, np.dtype("<i2")).astype(np.float32)
            block /= np.float32(INT16_SCALE)
        else:
            block = TABLES[kind][np.frombuffer(part, np.uint8)]
        yield block[:, np.newaxis]
