"""PocketSphinx decoders that hear an utterance while it is spoken.

PocketSphinx is imported only when a decoder is made, so that the rest can be tested without it.
"""

from typing import Any, Callable, Dict, List, Tuple

import numpy as np
from asr_narrowband import adaptation_file, fill, is_narrow, noise_level
from numpy.typing import NDArray

SAMPLE_RATE = 16_000

# Measured on the five librivox recordings of pocketsphinx-testdata, fed in pieces of 100 ms
# (mean word error rate, processor time over length):
#   as shipped, cepstral mean 40,3,-1,0,…            0.368  0.24
#   mean of the other four recordings                0.234  0.21
#   + maxhmmpf 3000                                  0.234  0.18
#   + ds 2 (Gaussians of every second frame)         0.183  0.15
# maxhmmpf 1500, narrower beams and a mean of the first second alone lost accuracy.
_OPTIONS: Dict[str, Any] = {"fwdflat": False, "bestpathlw": 7.5, "maxhmmpf": 3000, "ds": 2}
# Read speech at a usual level; the decoder's own guess is far from any recording's. The decoder
# goes on from here as it hears more.
_MEAN = (53.2, 6.4, -4.6, 21.6, -16.9, 7.5, -8.2, -7.4, 3.4, -3.8, 4.0, -3.1, 0.5)

# Speech from telephones (asr_narrowband.py). Word error rates as it was, adapted, and with twice as
# many states kept too: people over a telephone line 0.89, 0.42, 0.42, at clean 8 kHz 0.57, 0.35,
# 0.33, a synthetic voice at 8 kHz 0.73, 0.40, 0.28. Means blended with that of the first second, or
# followed every second, gained nothing.
_NARROW_STATES = 6000
# The mean of read speech at 8 kHz and the same over a telephone line, band filled, where the noise
# in it has the root mean square 1. Louder sound raises the logarithms of all 25 filters alike, and
# the first cepstrum is their sum over the square root of 25.
_NARROW_MEAN = (1.4, -10.1, 13.8, -5.4, -1.7, -7.6, -14.1, -3.4, -13.3, -0.6, -3.0, -10.7, 2.6)
_PER_LEVEL = 10.0

# As the decoder gives it: word, first frame, last frame, linear confidence.
Segment = Tuple[str, int, int, float]
Samples = NDArray[np.int16]


class EngineError(Exception):
    """The engine failed; another try may work."""


class StreamDecoder:
    """One decoder for full-band or narrow-band speech; for one utterance at a time."""

    def __init__(self, *, narrow: bool) -> None:
        """Load the models that come inside the package (about 0.5 s and 95 MB).

        Raises:
            EngineError: the package is missing or its models do not load.
        """
        self.narrow = narrow
        self._open = False
        self._level = 0.0
        self._heard = 0
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package pocketsphinx is not installed") from error
        options = {"samprate": SAMPLE_RATE, "loglevel": "FATAL", **_OPTIONS}
        if narrow:
            options |= {"mllr": adaptation_file(), "maxhmmpf": _NARROW_STATES}
        try:
            self._decoder = Decoder(**options)
            # The first utterance of a decoder differs in its last digits from all
            # later ones, so it is spent on noise here.
            noise = np.random.default_rng(1).normal(0.0, 800.0, SAMPLE_RATE).astype(np.int16)
            self.start(noise)
            self.hear(noise)
            self.end()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"PocketSphinx did not start: {error}") from error

    def start(self, beginning: Samples) -> None:
        """Begin an utterance, as if it were the decoder's first.

        Args:
            beginning: of it, to measure; it is to be heard still.
        """
        self.drop()
        self._heard = 0
        mean = _MEAN
        if self.narrow:
            self._level = noise_level(beginning)
            mean = (_NARROW_MEAN[0] + _PER_LEVEL * float(np.log(self._level)), *_NARROW_MEAN[1:])
        # Forgets the noise estimate and cepstral mean of the utterance before.
        self._decoder.reinit_feat()
        self._decoder.set_cmn(",".join(f"{value:.2f}" for value in mean))
        self._decoder.start_utt()
        self._open = True

    def hear(self, pcm: Samples) -> None:
        """Go on with ``pcm`` ([T] int16, 16 kHz); EngineError if the decoder fails."""
        if self.narrow:
            filled = fill(pcm, self._level, self._heard)
            self._heard += pcm.size
            pcm = filled
        try:
            self._decoder.process_raw(pcm.astype("<i2").tobytes())
        except RuntimeError as error:
            raise EngineError(f"PocketSphinx failed: {error}") from error

    def text(self) -> str:
        """What was heard so far, as the decoder writes it; more may change it."""
        found = self._decoder.hyp()
        return "" if found is None else str(found.hypstr)

    def end(self) -> List[Segment]:
        """End the utterance: all segments of it."""
        self.drop()
        if self._decoder.hyp() is None:
            return []
        return [(s.word, s.start_frame, s.end_frame, s.prob) for s in self._decoder.seg()]

    def drop(self) -> None:
        """Leave the utterance, if one is open."""
        if self._open:
            self._open = False
            try:
                self._decoder.end_utt()
            except RuntimeError as error:
                raise EngineError(f"PocketSphinx failed: {error}") from error


class Decoders:
    """The decoders of one process that are in no utterance; used by one thread."""

    def __init__(self, places: int, make: Callable[..., StreamDecoder] = StreamDecoder) -> None:
        """Make the first decoder, for full-band speech; the others follow when they are needed.

        Args:
            places: decoders at once, and so utterances.
            make: makes a decoder.

        Raises:
            EngineError: the engine is missing.
        """
        self._places = places
        self._make = make
        self._free: List[StreamDecoder] = [make(narrow=False)]
        self._taken = 0

    def take(self, beginning: Samples) -> StreamDecoder:
        """A decoder that has begun an utterance, of the kind that its beginning calls for.

        Raises:
            EngineError: it could not be made.
        """
        narrow = is_narrow(beginning)
        fitting = [one for one in self._free if one.narrow == narrow]
        if fitting:
            decoder = fitting[-1]
            self._free.remove(decoder)
        else:
            # One of the other kind makes room.
            del self._free[: max(0, self._taken + len(self._free) + 1 - self._places)]
            decoder = self._make(narrow=narrow)
        decoder.start(beginning)
        self._taken += 1
        return decoder

    def give_back(self, decoder: StreamDecoder, *, usable: bool = True) -> None:
        """A decoder whose utterance is over; one that failed is not used again."""
        self._taken -= 1
        if usable:
            decoder.drop()
            self._free.append(decoder)
