"""Samples to audio files.

libsndfile does the work outside the GIL; call `encode_audio` in a worker thread.
"""

import io
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]
MIN_RATE = 8_000
MAX_RATE = 48_000
_OPUS_RATES = frozenset({8_000, 12_000, 16_000, 24_000, 48_000})
_MP3_RATES = frozenset({8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000})
# libvorbis analyses a write at once on the stack: long ones overflow it.
_BLOCK = 65_536


class OutputFormat(StrEnum):
    """The formats that audio leaves in."""

    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    OPUS = "opus"
    MP3 = "mp3"
    PCM = "pcm"


@dataclass(frozen=True, slots=True)
class Codec:
    """How a format is written.

    Attributes:
        container: libsndfile's name of the file format; None for bare samples.
        subtype: libsndfile's name of the encoding.
        rates: Sampling rates it can hold, in Hz; None for any.
        media_type: For HTTP.
    """

    container: str | None
    subtype: str
    rates: frozenset[int] | None
    media_type: str


CODECS = {
    OutputFormat.WAV: Codec("WAV", "PCM_16", None, "audio/wav"),
    OutputFormat.FLAC: Codec("FLAC", "PCM_16", None, "audio/flac"),
    OutputFormat.OGG: Codec("OGG", "VORBIS", None, "audio/ogg"),
    OutputFormat.OPUS: Codec("OGG", "OPUS", _OPUS_RATES, "audio/ogg; codecs=opus"),
    OutputFormat.MP3: Codec("MP3", "MPEG_LAYER_III", _MP3_RATES, "audio/mpeg"),
    OutputFormat.PCM: Codec(None, "PCM_16", None, "audio/pcm"),
}


def holds_rate(audio_format: OutputFormat, rate: int) -> bool:
    """Whether the format can be written at this sampling rate (Hz)."""
    rates = CODECS[audio_format].rates
    return MIN_RATE <= rate <= MAX_RATE and (rates is None or rate in rates)


def best_rate(audio_format: OutputFormat, rate: int) -> int:
    """The rate itself where the format holds it, else the next higher one that it does."""
    if holds_rate(audio_format, rate):
        return rate
    rates = CODECS[audio_format].rates or {MAX_RATE}
    return min((held for held in rates if held >= rate), default=max(rates))


def resample(samples: Samples, source_rate: int, rate: int) -> Samples:
    """Mono `[T] float32` at another rate."""
    if source_rate == rate:
        return samples
    resampled: Samples = soxr.resample(samples, source_rate, rate, quality="HQ")
    return resampled


def encode_audio(samples: Samples, rate: int, audio_format: OutputFormat) -> bytes:
    """Mono `[T] float32` as a file of 16 bits a sample, or of the codec's own.

    Samples outside [-1, 1] are clipped: resampling overshoots, and integers would wrap around.

    Raises:
        ValueError: The format cannot hold the rate.
    """
    if not holds_rate(audio_format, rate):
        msg = f"{audio_format} cannot hold {rate} Hz"
        raise ValueError(msg)
    integers = np.rint(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2")
    codec = CODECS[audio_format]
    if codec.container is None:
        return bytes(integers.tobytes())
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", rate, channels=1, format=codec.container, subtype=codec.subtype
    ) as sound:
        for start in range(0, len(integers), _BLOCK):
            sound.write(integers[start : start + _BLOCK])
    return file.getvalue()
