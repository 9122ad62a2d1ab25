"""The audio of a session since the last settled position, as it came and at 16 kHz.

All that is recognized is a function of the audio since that position alone: there the resampler
begins anew as well, so that a session that is resumed there hears the same samples.
"""

import numpy as np
import soxr

from services.asr.models.audio import SAMPLE_RATE
from shared.audio.contract import Pcm16

_FIRST_CAPACITY = SAMPLE_RATE * 2
_FULL_SCALE = 32_768.0


class _Buffer:
    """Samples that grow at one end and are dropped at the other."""

    def __init__(self) -> None:
        self._held = np.zeros(_FIRST_CAPACITY, np.int16)
        self._first = self._last = 0

    def __len__(self) -> int:
        return self._last - self._first

    @property
    def samples(self) -> Pcm16:
        """All of them; a view that the next change makes invalid."""
        return self._held[self._first : self._last]

    def add(self, samples: Pcm16) -> None:
        size = len(self) + len(samples)
        if self._last + len(samples) > len(self._held):
            # A new array: views that somebody holds keep what they show.
            held = np.zeros(max(_FIRST_CAPACITY, 2 * size), np.int16)
            held[: len(self)] = self.samples
            self._held, self._first, self._last = held, 0, len(self)
        self._held[self._last : self._last + len(samples)] = samples
        self._last += len(samples)

    def drop(self, count: int) -> None:
        self._first += count
        if not len(self):
            self.clear()

    def clear(self) -> None:
        self._held = np.zeros(_FIRST_CAPACITY, np.int16)
        self._first = self._last = 0


class AudioLine:
    """What came since the last settled position.

    Args:
        rate: Of the client's samples, in Hz.
        position: The settled position, in the client's samples; `StreamOptions` has checked it.
    """

    def __init__(self, rate: int, position: int) -> None:
        self._rate = rate
        self.position = position
        self._raw = _Buffer()
        self._resampled = _Buffer()
        self._stream = self._new_stream()
        gcd = np.gcd(rate, SAMPLE_RATE)
        self._up, self._down = int(SAMPLE_RATE // gcd), int(rate // gcd)

    @property
    def received(self) -> int:
        """Position behind the last sample that came, in the client's samples."""
        return self.position + len(self._raw)

    @property
    def origin(self) -> int:
        """The settled position in samples at 16 kHz."""
        return self.position // self._down * self._up

    @property
    def pcm(self) -> Pcm16:
        """Audio at 16 kHz since the settled position; a view."""
        return (self._raw if self._stream is None else self._resampled).samples

    def add(self, samples: Pcm16) -> None:
        """The client's next samples."""
        self._raw.add(samples)
        self._resample(samples, last=False)

    def finish(self) -> None:
        """Nothing more comes before the next `settle`: the resampler gives what it holds."""
        self._resample(self._raw.samples[:0], last=True)

    def floor(self, offset: int) -> int:
        """The last offset at 16 kHz, not behind the given one, where audio may be settled."""
        whole = offset // self._up
        return min(whole, len(self._raw) // self._down) * self._up

    def settle(self, offset: int) -> None:
        """Drop what is before an offset that `floor` gave, and begin anew there."""
        count = offset // self._up * self._down
        self._raw.drop(count)
        self.position += count
        if self._stream is not None:
            self._stream = self._new_stream()
            self._resampled.clear()
            self._resample(self._raw.samples, last=False)

    def client_position(self, offset: int) -> int:
        """An offset at 16 kHz as a position in the client's samples, rounded up."""
        return self.position + -(-offset * self._down // self._up)

    def _new_stream(self) -> "soxr.ResampleStream | None":
        if self._rate == SAMPLE_RATE:
            return None
        return soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def _resample(self, samples: Pcm16, *, last: bool) -> None:
        if self._stream is None:
            return
        # In floats: on the way to integers the library adds noise.
        scaled = samples.astype(np.float32) / np.float32(_FULL_SCALE)
        found = self._stream.resample_chunk(scaled, last=last)
        rounded = np.rint(np.clip(found, -1.0, 1.0) * np.float32(_FULL_SCALE - 1))
        self._resampled.add(rounded.astype(np.int16))
