"""What the decoder child and its parent share; it loads no codec, for the parent needs none."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.audio.formats import AudioFormat

Pcm16 = NDArray[np.int16]
SAMPLE_BYTES = 2


class Samples(Protocol):
    """Mono 16-bit PCM, `[T] int16`, in memory or in a file; a slice of it is in memory."""

    def __len__(self) -> int:
        """Samples."""

    def __getitem__(self, part: slice, /) -> Pcm16:
        """Consecutive samples."""


@dataclass(frozen=True, slots=True)
class DecodeBounds:
    """What decoding may cost, whatever the file claims.

    Attributes:
        max_seconds: Longest audio; of channels that are kept apart, all together.
        max_samples: Most decoded samples, all channels together.
        free_samples: So many may come out of any file, however small.
        samples_per_byte: So many more may come out for each byte of the file; bounds the time of
            a decompression bomb. Opus at 6 kbit/s, less than anybody uses, reaches this.
        max_channels: Most channels.
        min_rate: Lowest sample rate, in Hz.
        max_rate: Highest sample rate, in Hz.
        target_rate: Rate of the result, in Hz.
    """

    max_seconds: float = 600.0
    max_samples: int = 600 * 48_000 * 2
    free_samples: int = 600 * 48_000
    samples_per_byte: int = 64
    max_channels: int = 8
    min_rate: int = 8_000
    max_rate: int = 192_000
    target_rate: int = 16_000

    @property
    def track_bytes(self) -> int:
        """Most bytes of one decoded track: the longest audio and the resampler's last block."""
        return int((self.max_seconds + 1) * self.target_rate) * SAMPLE_BYTES

    def samples_from(self, size: int) -> int:
        """Most samples that may come out of a file of `size` bytes, all channels together."""
        return min(self.max_samples, self.free_samples + size * self.samples_per_byte)


@dataclass(frozen=True, slots=True)
class DecodeRequest:
    """How a file is to be decoded.

    Attributes:
        declared: The sender's word for the format; it matters for headerless audio only, which
            shows nothing of itself.
        rate: Sample rate of headerless audio, in Hz.
        separate: Whether each channel becomes a track of its own; else they are averaged.
    """

    declared: AudioFormat | None = None
    rate: int | None = None
    separate: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """What was decoded.

    Track n of the result, mono at the target rate, begins `n * DecodeBounds.track_bytes` bytes
    into the output file.

    Attributes:
        audio_format: As the content shows it.
        source_rate: In Hz.
        channels: Of the source.
        tracks: Of the result.
        samples: Of each track.
    """

    audio_format: AudioFormat
    source_rate: int
    channels: int
    tracks: int
    samples: int
