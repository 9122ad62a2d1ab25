"""Another sampling rate, block by block."""

import numpy as np
import soxr

from shared.audio.encode import Samples


class StreamResampler:
    """Mono blocks at another rate; what they give together does not depend on their sizes.

    Args:
        source_rate: In Hz.
        rate: In Hz.
    """

    def __init__(self, source_rate: int, rate: int) -> None:
        self._stream = (
            None
            if source_rate == rate
            else soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality="HQ")
        )

    def feed(self, samples: Samples) -> Samples:
        """`[n] float32` in, `[m] float32` out; the filter holds some back."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples)
        return resampled

    def finish(self) -> Samples:
        """What was held back."""
        rest = np.zeros(0, np.float32)
        if self._stream is None:
            return rest
        resampled: Samples = self._stream.resample_chunk(rest, last=True)
        return resampled
