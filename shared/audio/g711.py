"""G.711 companding (ITU-T G.711): what telephones send, one byte a sample."""

import numpy as np
from numpy.typing import NDArray

from shared.audio.formats import INT16_SCALE, AudioFormat

_CODES = np.arange(256)


def _mulaw() -> NDArray[np.int64]:
    """16-bit values of the codes: inverted bits, sign, 3 bits of exponent, 4 of mantissa."""
    inverted = ~_CODES & 0xFF
    exponent, mantissa = inverted >> 4 & 7, inverted & 15
    magnitude = ((mantissa << 3) + 0x84 << exponent) - 0x84
    return np.where(inverted & 0x80, -magnitude, magnitude)


def _alaw() -> NDArray[np.int64]:
    """16-bit values of the codes: even bits inverted, sign, exponent, mantissa."""
    toggled = _CODES ^ 0x55
    exponent, mantissa = toggled >> 4 & 7, toggled & 15
    magnitude = (mantissa << 4) + 8
    magnitude = np.where(exponent > 0, magnitude + 0x100 << np.maximum(exponent, 1) - 1, magnitude)
    return np.where(toggled & 0x80, magnitude, -magnitude)


TABLES: dict[AudioFormat, NDArray[np.float32]] = {
    AudioFormat.MULAW: (_mulaw() / INT16_SCALE).astype(np.float32),
    AudioFormat.ALAW: (_alaw() / INT16_SCALE).astype(np.float32),
}
"""Sample value, full scale 1, of each code."""
