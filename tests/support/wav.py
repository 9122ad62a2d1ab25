"""WAV files in memory."""

import io
import wave

import numpy as np
from numpy.typing import ArrayLike

from tests.support.recordings import SAMPLE_RATE


def wav_bytes(samples: ArrayLike, rate: int = SAMPLE_RATE) -> bytes:
    """A mono 16-bit WAV file of `[T] int16`."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, np.int16).tobytes())
    return target.getvalue()
