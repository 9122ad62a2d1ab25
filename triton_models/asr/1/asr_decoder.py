"""PocketSphinx decoders: for full-band and for narrow-band speech, with preferred phrases or not.

PocketSphinx is imported only when a decoder is made, so that the rest can be tested without it.
"""

import itertools
from functools import lru_cache
from typing import Any, Dict, List, Tuple

import numpy as np
from asr_narrowband import adaptation_file, fill, is_narrow, noise_level
from numpy.typing import NDArray

SAMPLE_RATE = 16_000

# Measured on the five librivox recordings of pocketsphinx-testdata, each
# decoded in one piece (mean word error rate, real-time factor on one core):
#   as shipped                        0.272  0.28
#   fwdflat off (no second pass)      0.248  0.24
#   + bestpathlw 6.5 to 8 (from 9.5)  0.212  0.17
#   + maxhmmpf 6000 (from 30000)      0.212  0.15, and bounded on noise
# Wider beams, other lw, topn, silence and word penalties gained nothing;
# narrower beams (1e-44) and maxhmmpf 3000 lost accuracy.
_OPTIONS: Dict[str, Any] = {"fwdflat": False, "bestpathlw": 7.5, "maxhmmpf": 6000}
# Without the upper band sounds are harder to tell apart: the right one is more often not among the
# best few, and the language model weighs too much against distributions that were made wider. Word
# error rates of a synthetic voice behind four lossy codecs at 8 kHz, of people on the telephone,
# and processor time, with the width and noise of before (1.25, -30 dB: asr_narrowband.py):
#   as above                                    0.28  0.35  1
#   + maxhmmpf 12000                            0.24  0.34  1.2
#   + maxhmmpf 20000 and lw 6                   0.22  0.35  1.8
#   the same with those of today (1.4, -20 dB)  0.21  0.37  1.9
# A second pass, more Gaussians (topn) and wider beams gained less or cost more.
_NARROW: Dict[str, Any] = {"maxhmmpf": 20000, "lw": 6.0}

# As the decoder gives it: word, first frame, last frame, linear confidence.
Segment = Tuple[str, int, int, float]
Samples = NDArray[np.int16]
# Segments of one utterance, and other texts with their scores.
Decoded = Tuple[List[Segment], List[Tuple[str, float]]]


class EngineError(Exception):
    """The engine failed; another try may work."""


@lru_cache(maxsize=2)
def options(*, narrow: bool) -> Dict[str, Any]:
    """How decoders are made."""
    found = {"samprate": SAMPLE_RATE, "loglevel": "FATAL", **_OPTIONS}
    return {**found, **_NARROW, "mllr": adaptation_file()} if narrow else found


def noise() -> Samples:
    """What a decoder's first utterance, which differs in its last digits, is spent on."""
    return np.random.default_rng(1).normal(0.0, 800.0, SAMPLE_RATE).astype(np.int16)


def utterance(decoder: Any, chunk: Samples, topk: int) -> Decoded:
    """Return the segments of one utterance and, if asked for, other texts."""
    # Forgets the noise estimate and cepstral mean of the utterance before.
    decoder.reinit_feat()
    decoder.start_utt()
    try:
        # full_utt: the cepstral mean is that of this audio, not a running one.
        decoder.process_raw(chunk.astype("<i2").tobytes(), full_utt=True)
    finally:
        decoder.end_utt()
    if decoder.hyp() is None:
        return [], []
    segments = [(s.word, s.start_frame, s.end_frame, s.prob) for s in decoder.seg()]
    texts: List[Tuple[str, float]] = []
    if topk > 1:
        # Hypotheses often differ only in fillers: look further than topk.
        others = itertools.islice(decoder.nbest(), topk * 10)
        texts = [(other.hypstr or "", other.score) for other in others]
    return segments, texts


class Decoders:
    """The decoders of one process; used by one thread at a time.

    All but the first, plain full-band one are made when they are needed.
    """

    def __init__(self) -> None:
        """Load the models that come inside the package (about 0.4 s).

        Raises:
            EngineError: the package is missing or its models do not load.
        """
        self._plain: Dict[bool, Any] = {}
        self._boosters: Dict[bool, Any] = {}
        self._start(narrow=False)

    def decode(self, chunk: Samples, topk: int, phrases: Tuple[str, ...]) -> Decoded:
        """Decode one utterance; after a failure a new decoder is left behind.

        Raises:
            EngineError: the decoder failed, or could not be made.
        """
        narrow = is_narrow(chunk)
        if narrow:
            chunk = fill(chunk, noise_level(chunk))
        if phrases:
            return self._boosted(chunk, topk, phrases, narrow=narrow)
        if narrow not in self._plain:
            self._start(narrow=narrow)
        try:
            return utterance(self._plain[narrow], chunk, topk)
        except RuntimeError as error:
            # It may be left inside an utterance and would then refuse every other.
            self._start(narrow=narrow)
            raise EngineError(f"PocketSphinx failed: {error}") from error

    def _start(self, *, narrow: bool) -> None:
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package pocketsphinx is not installed") from error
        try:
            self._plain[narrow] = Decoder(**options(narrow=narrow))
            utterance(self._plain[narrow], noise(), 1)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"PocketSphinx did not start: {error}") from error

    def _boosted(
        self, chunk: Samples, topk: int, phrases: Tuple[str, ...], *, narrow: bool
    ) -> Decoded:
        if narrow not in self._boosters:
            from asr_boost import Booster  # noqa: PLC0415 - only where it is used

            self._boosters[narrow] = Booster(options(narrow=narrow))
        decoded: Decoded = self._boosters[narrow].decode(chunk, topk, phrases)
        return decoded
