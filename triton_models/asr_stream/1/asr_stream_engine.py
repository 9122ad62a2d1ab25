"""Recognition of utterances that are still being spoken.

No Triton in here, and PocketSphinx only below asr_stream_decoder.py, so that the pure parts can be
tested without either.
"""

import itertools
import re
from typing import Any, Callable, Dict, List, Optional

import numpy as np
from asr_stream_decoder import Decoders, EngineError, Samples, Segment, StreamDecoder

SAMPLE_RATE = 16_000
FRAMES_PER_SECOND = 100
MAX_SECONDS = 120  # of one utterance
# The decoder cannot be interrupted inside a block, and cannot take a word back.
BLOCK = SAMPLE_RATE // 2
# Of an utterance, heard at once when it is there: it tells which kind of decoder is needed.
BEGINNING = SAMPLE_RATE // 2

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_ALTERNATE = re.compile(r"\(\d+\)$")

Word = Dict[str, Any]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


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
    """What is heard of one utterance."""

    def __init__(self, decoders: Decoders) -> None:
        """Begin; the decoder is taken when it is known which."""
        self._decoders = decoders
        self._decoder: Optional[StreamDecoder] = None
        self._beginning: Samples = np.zeros(0, np.int16)
        self._samples = 0
        self.used_at = 0

    def hear(self, pcm: Samples, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Go on with ``pcm`` ([T] int16, 16 kHz).

        Raises:
            ClientError: the utterance becomes too long.
            Cancelled: ``cancelled`` said so between two blocks.
            EngineError: the decoder failed.
        """
        if self._samples + pcm.size > MAX_SECONDS * SAMPLE_RATE:
            raise ClientError(f"audio_too_long: at most {MAX_SECONDS} seconds an utterance")
        self._samples += pcm.size
        if self._decoder is None:
            self._beginning = np.concatenate([self._beginning, pcm])
            if self._beginning.size < BEGINNING:
                return
            pcm, self._decoder = self._beginning, self._decoders.take(self._beginning)
        for first in range(0, pcm.size, BLOCK):
            if cancelled():
                raise Cancelled
            self._decoder.hear(pcm[first : first + BLOCK])

    def text(self) -> str:
        """The words so far; later ones may change them."""
        written = "" if self._decoder is None else self._decoder.text()
        return " ".join(filter(None, map(clean_word, written.split())))

    def end(self) -> List[Segment]:
        """End the utterance: all segments of it."""
        if self._decoder is None:
            if self._beginning.size == 0:
                return []
            self._decoder = self._decoders.take(self._beginning)
            self._decoder.hear(self._beginning)
        segments = self._decoder.end()
        self.close()
        return segments

    def close(self, *, usable: bool = True) -> None:
        """Give the decoder back, unless it is not usable any more."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            self._decoders.give_back(decoder, usable=usable)

    @property
    def duration(self) -> float:
        """Seconds heard."""
        return self._samples / SAMPLE_RATE


class Utterances:
    """The open utterances of one process; used by one thread."""

    def __init__(self, places: int, make: Callable[..., StreamDecoder] = StreamDecoder) -> None:
        """Make the first decoder; the others follow when they are needed.

        Args:
            places: utterances at once; the server admits no more.
            make: makes a decoder.

        Raises:
            EngineError: the engine is missing.
        """
        self._places = places
        self._decoders = Decoders(places, make)
        self._open: Dict[int, Utterance] = {}
        self._clock = itertools.count(1)

    def start(self, key: int) -> None:
        """Open an utterance; one that was abandoned makes room."""
        self._forget(key)
        if len(self._open) >= self._places:
            # The server has timed out at least one, or it would not have started another.
            self._forget(min(self._open, key=lambda one: self._open[one].used_at))
        self._open[key] = Utterance(self._decoders)

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
            self._open.pop(key).close(usable=False)
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
        try:
            words = words_of(utterance.end(), utterance.duration)
        except EngineError:
            utterance.close(usable=False)
            raise
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
            utterance.close()
