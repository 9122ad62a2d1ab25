"""PocketSphinx recognition of utterances that are still being spoken.

No Triton in here, and PocketSphinx is imported only when a decoder is made,
so that the pure parts can be tested without either.
"""

import itertools
import re
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAMES_PER_SECOND = 100
MAX_SECONDS = 120  # of one utterance
# The decoder cannot be interrupted inside a block, and cannot take a word back.
BLOCK = SAMPLE_RATE // 2

# Measured on the five librivox recordings of pocketsphinx-testdata, fed in pieces of 100 ms
# (mean word error rate, processor time over length):
#   as shipped, cepstral mean 40,3,-1,0,…            0.368  0.24
#   mean of the other four recordings                0.234  0.21
#   + maxhmmpf 3000                                  0.234  0.18
#   + ds 2 (Gaussians of every second frame)         0.183  0.15
# maxhmmpf 1500, narrower beams and a mean of the first second alone lost accuracy.
DECODER_OPTIONS: Dict[str, Any] = {"fwdflat": False, "bestpathlw": 7.5, "maxhmmpf": 3000, "ds": 2}
# Read speech at a usual level; the decoder's own guess is far from any recording's. The decoder
# goes on from here as it hears more.
CEPSTRAL_MEAN = "53.2,6.4,-4.6,21.6,-16.9,7.5,-8.2,-7.4,3.4,-3.8,4.0,-3.1,0.5"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_ALTERNATE = re.compile(r"\(\d+\)$")

Word = Dict[str, Any]
# As the decoder gives it: word, first frame, last frame, linear confidence.
Segment = Tuple[str, int, int, float]
Samples = NDArray[np.int16]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


class Cancelled(Exception):
    """The client has gone."""


def check_language(raw: bytes, served: List[str]) -> str:
    """Return the served primary language of a tag such as ``en-US``.

    Raises:
        ClientError: it is malformed or not served.
    """
    code = raw[:64].decode("utf-8", "replace")
    language = re.split("[-_]", code)[0].lower()
    if not _LANGUAGE.fullmatch(code) or language not in served:
        raise ClientError("unsupported_language: " + ",".join(served))
    return language


def clean_word(word: str) -> str:
    """Return the word as written, or "" for a filler.

    ``was(2)`` is an alternate pronunciation; ``<sil>``, ``[NOISE]`` and
    ``++UH++`` are not words.
    """
    if not word or word[0] in "<[" or word.startswith("++"):
        return ""
    return _ALTERNATE.sub("", word)


def words_of(segments: List[Segment], duration: float) -> List[Word]:
    """Turn decoder segments into words with times from the utterance's start, in order."""
    words: List[Word] = []
    after = 0.0
    for raw, first, last, confidence in segments:
        word = clean_word(raw)
        if not word:
            continue
        start = min(max(first / FRAMES_PER_SECOND, after), duration)
        after = min(max((last + 1) / FRAMES_PER_SECOND, start), duration)
        words.append(
            {
                "word": word,
                "start": round(start, 3),
                "end": round(after, 3),
                "confidence": round(min(max(confidence, 0.0), 1.0), 4),
            }
        )
    return words


class Utterance:
    """One decoder, and what it has heard of one utterance."""

    def __init__(self) -> None:
        """Load the models that come inside the package (about 0.5 s and 95 MB).

        Raises:
            EngineError: the package is missing or its models do not load.
        """
        self._open = False
        self._samples = 0
        self.used_at = 0
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package pocketsphinx is not installed") from error
        try:
            self._decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL", **DECODER_OPTIONS)
            # The first utterance of a decoder differs in its last digits from all
            # later ones, so it is spent on noise here.
            noise = np.random.default_rng(1).normal(0.0, 800.0, SAMPLE_RATE).astype(np.int16)
            self.start()
            self.hear(noise)
            self.end()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"PocketSphinx did not start: {error}") from error

    def start(self) -> None:
        """Begin an utterance, as if it were the decoder's first."""
        self.drop()
        self._samples = 0
        # Forgets the noise estimate and cepstral mean of the utterance before.
        self._decoder.reinit_feat()
        self._decoder.set_cmn(CEPSTRAL_MEAN)
        self._decoder.start_utt()
        self._open = True

    def hear(self, pcm: Samples, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Go on with ``pcm`` ([T] int16, 16 kHz).

        Raises:
            ClientError: the utterance becomes too long.
            Cancelled: ``cancelled`` said so between two blocks.
            EngineError: the decoder failed.
        """
        if self._samples + pcm.size > MAX_SECONDS * SAMPLE_RATE:
            raise ClientError(f"audio_too_long: at most {MAX_SECONDS} seconds an utterance")
        for first in range(0, pcm.size, BLOCK):
            if cancelled():
                raise Cancelled
            block = pcm[first : first + BLOCK]
            try:
                self._decoder.process_raw(block.astype("<i2").tobytes())
            except RuntimeError as error:
                raise EngineError(f"PocketSphinx failed: {error}") from error
            self._samples += block.size

    def text(self) -> str:
        """The words so far; later ones may change them."""
        found = self._decoder.hyp()
        if found is None:
            return ""
        return " ".join(filter(None, map(clean_word, found.hypstr.split())))

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

    @property
    def duration(self) -> float:
        """Seconds heard."""
        return self._samples / SAMPLE_RATE


class Utterances:
    """The open utterances of one process; used by one thread."""

    def __init__(self, places: int, make: Callable[[], Utterance] = Utterance) -> None:
        """Make the first decoder; the others follow when they are needed.

        Args:
            places: utterances at once; the server admits no more.
            make: makes a decoder.

        Raises:
            EngineError: the engine is missing.
        """
        self._places = places
        self._make = make
        self._free: List[Utterance] = [make()]
        self._open: Dict[int, Utterance] = {}
        self._clock = itertools.count(1)

    def start(self, key: int) -> None:
        """Open an utterance; one that was abandoned makes room."""
        self._forget(key)
        if not self._free and len(self._open) >= self._places:
            # The server has timed out at least one, or it would not have started another.
            self._forget(min(self._open, key=lambda one: self._open[one].used_at))
        utterance = self._free.pop() if self._free else self._make()
        self._open[key] = utterance
        utterance.start()

    def step(
        self, key: int, pcm: Samples, cancelled: Callable[[], bool] = lambda: False
    ) -> Dict[str, Any]:
        """Hear more; the reply holds the text so far.

        Raises:
            ClientError: no such utterance, or it is too long.
            Cancelled: ``cancelled`` said so.
            EngineError: the decoder failed; the utterance is lost.
        """
        utterance = self._open.get(key)
        if utterance is None:
            raise ClientError("invalid_parameter: this utterance is not open")
        utterance.used_at = next(self._clock)
        try:
            utterance.hear(pcm, cancelled)
        except EngineError:
            # A decoder that failed is not used again.
            del self._open[key]
            raise
        except (ClientError, Cancelled):
            self._forget(key)
            raise
        return {
            "text": utterance.text(),
            "final": False,
            "duration": round(utterance.duration, 4),
        }

    def end(self, key: int) -> Dict[str, Any]:
        """Close an utterance; the reply holds its words.

        Raises:
            ClientError: no such utterance.
        """
        utterance = self._open.pop(key, None)
        if utterance is None:
            raise ClientError("invalid_parameter: this utterance is not open")
        words = words_of(utterance.end(), utterance.duration)
        self._free.append(utterance)
        confidences = [word["confidence"] for word in words]
        return {
            "text": " ".join(word["word"] for word in words),
            "words": words,
            "confidence": round(float(np.mean(confidences)), 4) if words else 0.0,
            "final": True,
            "duration": round(utterance.duration, 4),
        }

    def cancel(self, key: int) -> None:
        """Close an utterance that nobody wants, if it is open."""
        self._forget(key)

    def _forget(self, key: int) -> None:
        utterance = self._open.pop(key, None)
        if utterance is not None:
            utterance.drop()
            self._free.append(utterance)
