"""What the decoder child and its parent share; it loads no codec, for the parent needs none."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.audio.formats import AudioFormat

Pcm16 = NDArray[np.int16]
LENGTH = struct.Struct(">I")
"""Prefix of every JSON head on the pipes."""


@dataclass(frozen=True, slots=True)
class DecodeBounds:
    """What decoding may cost, whatever the file claims.

    Attributes:
        max_seconds: Longest audio.
        max_samples: Most decoded samples, all channels together; bounds the time of a
            decompression bomb.
        max_channels: Most channels.
        min_rate: Lowest sample rate, in Hz.
        max_rate: Highest sample rate, in Hz.
        target_rate: Rate of the result, in Hz.
    """

    max_seconds: float = 600.0
    max_samples: int = 600 * 48_000 * 2
    max_channels: int = 8
    min_rate: int = 8_000
    max_rate: int = 192_000
    target_rate: int = 16_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """Mono 16-bit PCM at the target rate, and what it was made of."""

    pcm: Pcm16
    audio_format: AudioFormat
    source_rate: int
    channels: int
