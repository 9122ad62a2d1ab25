"""Samples to audio files, block by block; bytes leave as they are made.

Encoders work outside the GIL for most of their time: call them in a worker thread, one call at a
time for each encoder.
"""

import struct
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from shared.audio.byte_sink import ByteSink
from shared.audio.encode import CODECS, Codec, OutputFormat, Samples, holds_rate
from shared.audio.encode_media import MediaEncoder, has_media

# libvorbis analyses a write at once on the stack: long ones overflow it.
_BLOCK = 65_536
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_WAV_UNKNOWN = 0xFFFF_FFFF


class StreamEncoder(Protocol):
    """Writes one file of one channel."""

    def feed(self, samples: Samples) -> bytes:
        """Take `[n] float32`, full scale 1; what is ready of the file, often nothing.

        Samples outside [-1, 1] are clipped: resampling overshoots, and integers would wrap.
        """

    def finish(self) -> bytes:
        """The rest of the file; nothing may follow."""

    def close(self) -> None:
        """Give the file up, if it is not finished: some encoders have threads of their own."""

    @property
    def size(self) -> int:
        """Bytes of the file so far."""


def open_encoder(audio_format: OutputFormat, rate: int, *, whole: bool = False) -> StreamEncoder:
    """An encoder for one file.

    Args:
        audio_format: The file's.
        rate: Sampling rate in Hz.
        whole: Give everything at the end: the header then states the length, which a wav, flac
            or mp3 file that leaves while it is made cannot.

    Raises:
        ValueError: The format cannot hold the rate.
    """
    if not holds_rate(audio_format, rate):
        msg = f"{audio_format} cannot hold {rate} Hz"
        raise ValueError(msg)
    codec = CODECS[audio_format]
    if audio_format is OutputFormat.WAV or codec.container is None:
        return _PlainEncoder(rate, headed=audio_format is OutputFormat.WAV, whole=whole)
    if codec.media is not None and (codec.media_only or has_media()):
        return MediaEncoder(codec.media, rate, whole=whole)
    return _FileEncoder(codec, rate, whole=whole)


def encode_audio(samples: Samples, rate: int, audio_format: OutputFormat) -> bytes:
    """Mono `[T] float32` as a file, of 16 bits a sample or of the codec's own.

    Raises:
        ValueError: The format cannot hold the rate.
    """
    encoder = open_encoder(audio_format, rate, whole=True)
    return encoder.feed(samples) + encoder.finish()


def to_pcm16(samples: Samples) -> NDArray[np.int16]:
    """`[n] float32` as 16-bit integers, clipped."""
    scaled = np.clip(samples, -1.0, 1.0)
    scaled *= np.float32(32767.0)
    return np.rint(scaled, out=scaled).astype("<i2")


class _PlainEncoder:
    """Samples of 16 bits, bare or after a RIFF header."""

    def __init__(self, rate: int, *, headed: bool, whole: bool) -> None:
        self._rate = rate
        self._headed = headed
        self._parts: list[bytes] | None = [] if whole else None
        self._begun = False
        self.size = _WAV_HEADER.size if headed else 0

    def feed(self, samples: Samples) -> bytes:
        """See `StreamEncoder`."""
        content = to_pcm16(samples).tobytes()
        self.size += len(content)
        if self._parts is not None:
            self._parts.append(content)
            return b""
        return self._head(_WAV_UNKNOWN) + content

    def finish(self) -> bytes:
        """See `StreamEncoder`."""
        if self._parts is None:
            return self._head(_WAV_UNKNOWN)
        return b"".join((self._head(self.size - _WAV_HEADER.size), *self._parts))

    def close(self) -> None:
        """See `StreamEncoder`; there is nothing to give back."""

    def _head(self, content: int) -> bytes:
        """RIFF (Multimedia Programming Interface 1.0), once; all ones for a length not known."""
        if self._begun or not self._headed:
            return b""
        self._begun = True
        riff = content if content == _WAV_UNKNOWN else content + _WAV_HEADER.size - 8
        pcm, channels, width = 1, 1, 2
        return _WAV_HEADER.pack(
            *(b"RIFF", riff, b"WAVE", b"fmt ", 16, pcm, channels),
            *(self._rate, self._rate * width, width, 8 * width, b"data", content),
        )


class _ForwardFile(soundfile.SoundFile):  # type: ignore[misc] # untyped base
    """Writes straight on: the base class seeks to the end and back after each block."""

    def seekable(self) -> bool:
        """Never seek."""
        return False


class _FileEncoder:
    """What libsndfile writes."""

    def __init__(self, codec: Codec, rate: int, *, whole: bool) -> None:
        self._whole = whole
        self._sink = ByteSink()
        constant = codec.constant
        self._file = _ForwardFile(
            self._sink,
            "w",
            rate,
            channels=1,
            format=codec.container,
            subtype=codec.subtype,
            compression_level=constant,
            bitrate_mode=None if constant is None else "CONSTANT",
        )

    @property
    def size(self) -> int:
        """See `StreamEncoder`."""
        return self._sink.size

    def feed(self, samples: Samples) -> bytes:
        """See `StreamEncoder`."""
        integers = to_pcm16(samples)
        for start in range(0, len(integers), _BLOCK):
            self._file.write(integers[start : start + _BLOCK])
        return b"" if self._whole else self._sink.take()

    def finish(self) -> bytes:
        """See `StreamEncoder`."""
        self._file.close()
        return self._sink.take()

    def close(self) -> None:
        """See `StreamEncoder`."""
        self._file.close()
