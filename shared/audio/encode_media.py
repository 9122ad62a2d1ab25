"""AAC, MP3 and Opus by PyAV (FFmpeg), which is an optional extra.

Imported on the first such file: FFmpeg is large, and its licence is not for every installation.
"""

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.audio.byte_sink import ByteSink

_FEED_SAMPLES = 1 << 16


@dataclass(frozen=True, slots=True)
class MediaCodec:
    """How FFmpeg writes a format.

    Attributes:
        muxer: Its name of the file format.
        encoder: Its name of the codec.
        sample_format: That the encoder takes.
        bit_rate: In bit/s.
        encoder_options: Of the codec.
        muxer_options: Of the file format.
        stream_options: Of the file format too, for files that leave while they are made.
    """

    muxer: str
    encoder: str
    sample_format: str
    bit_rate: int
    encoder_options: tuple[tuple[str, str], ...] = ()
    muxer_options: tuple[tuple[str, str], ...] = ()
    stream_options: tuple[tuple[str, str], ...] = ()


@cache
def has_media() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


class MediaEncoder:
    """A `StreamEncoder` for one file of one channel."""

    def __init__(self, codec: MediaCodec, rate: int, *, whole: bool) -> None:
        self._av: Any = importlib.import_module("av")
        self._whole = whole
        self._rate = rate
        self._format = codec.sample_format
        self._place = 0
        self._sink = ByteSink()
        options = dict(codec.muxer_options)
        if not whole:
            # FFmpeg would collect 32 kB: seconds of speech.
            options |= {"flush_packets": "1", **dict(codec.stream_options)}
        self._container = self._av.open(
            self._sink, "w", format=codec.muxer, container_options=options
        )
        self._stream = self._container.add_stream(
            codec.encoder, rate=rate, options=dict(codec.encoder_options)
        )
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.format = codec.sample_format
        self._stream.codec_context.thread_count = 1
        self._stream.bit_rate = codec.bit_rate

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._sink.size

    def feed(self, samples: NDArray[np.float32]) -> bytes:
        """Take `[n] float32`, full scale 1; what is ready of the file."""
        clipped = np.clip(samples, -1.0, 1.0)
        for start in range(0, len(clipped), _FEED_SAMPLES):
            self._encode(clipped[start : start + _FEED_SAMPLES])
        return b"" if self._whole else self._sink.take()

    def finish(self) -> bytes:
        """The rest of the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()

    def close(self) -> None:
        """Give the file up, if it is not finished: the library's threads go with the container."""
        self._container.close()

    def _encode(self, samples: NDArray[np.float32]) -> None:
        # Planar or packed is the same for one channel.
        frame = self._av.AudioFrame.from_ndarray(
            samples[np.newaxis], format=self._format, layout="mono"
        )
        frame.sample_rate = self._rate
        frame.pts = self._place
        self._place += len(samples)
        self._container.mux(self._stream.encode(frame))
