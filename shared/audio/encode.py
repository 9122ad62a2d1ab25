"""The formats that audio leaves in, and what each can hold."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import soxr
from numpy.typing import NDArray

from shared.audio.encode_media import MediaCodec, has_media

Samples = NDArray[np.float32]
MIN_RATE = 8_000
MAX_RATE = 48_000
_OPUS_RATES = frozenset({8_000, 12_000, 16_000, 24_000, 48_000})
_MPEG_RATES = frozenset({8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000})
# From complexity 7 on, Opus spends most of its time on telling music from speech.
_OPUS_BY_FFMPEG = MediaCodec(
    "ogg",
    "libopus",
    "flt",
    40_000,
    encoder_options=(("application", "audio"), ("compression_level", "5")),
    # A page a second is the default: a listener would wait that long for the first one.
    stream_options=(("page_duration", "200000"),),
)
_MP3_BY_FFMPEG = MediaCodec(
    "mp3",
    "libmp3lame",
    "fltp",
    64_000,
    encoder_options=(("compression_level", "7"),),
    muxer_options=(("id3v2_version", "0"),),
    stream_options=(("write_xing", "0"),),
)
_AAC_BY_FFMPEG = MediaCodec("adts", "aac", "fltp", 64_000, (("aac_coder", "fast"),))


class OutputFormat(StrEnum):
    """The formats that audio leaves in."""

    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    OPUS = "opus"
    MP3 = "mp3"
    AAC = "aac"
    PCM = "pcm"


@dataclass(frozen=True, slots=True)
class Codec:
    """How a format is written.

    Attributes:
        container: libsndfile's name of the file format; None for bare samples.
        subtype: libsndfile's name of the encoding.
        rates: Sampling rates it can hold, in Hz; None for any.
        media_type: For HTTP.
        media: How PyAV writes it, where that is better than libsndfile or the only way.
        media_only: Whether libsndfile cannot write it.
        constant: Compression, 0 to 1, at a constant bit rate; None for libsndfile's own choice.
    """

    container: str | None
    subtype: str
    rates: frozenset[int] | None
    media_type: str
    media: MediaCodec | None = None
    media_only: bool = False
    constant: float | None = None


CODECS = {
    OutputFormat.WAV: Codec("WAV", "PCM_16", None, "audio/wav"),
    OutputFormat.FLAC: Codec("FLAC", "PCM_16", None, "audio/flac"),
    OutputFormat.OGG: Codec("OGG", "VORBIS", None, "audio/ogg"),
    OutputFormat.OPUS: Codec(
        "OGG", "OPUS", _OPUS_RATES, "audio/ogg; codecs=opus", media=_OPUS_BY_FFMPEG
    ),
    # Of a variable bit rate, no reader finds the length of a file that was not finished by a seek.
    OutputFormat.MP3: Codec(
        "MP3", "MPEG_LAYER_III", _MPEG_RATES, "audio/mpeg", media=_MP3_BY_FFMPEG, constant=0.5
    ),
    OutputFormat.AAC: Codec(
        "ADTS", "AAC", _MPEG_RATES, "audio/aac", media=_AAC_BY_FFMPEG, media_only=True
    ),
    OutputFormat.PCM: Codec(None, "PCM_16", None, "audio/pcm"),
}


def available_formats() -> tuple[OutputFormat, ...]:
    """The formats that this installation writes."""
    return tuple(
        audio_format
        for audio_format, codec in CODECS.items()
        if not codec.media_only or has_media()
    )


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
