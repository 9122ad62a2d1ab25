"""PocketSphinx recognition: bounds, chunking, word times, confidences.

No Triton in here, and PocketSphinx is imported only when a decoder is made,
so that the pure parts can be tested without either.
"""

import itertools
import re
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
MAX_SECONDS = 600
MAX_TOPK = 10
FRAMES_PER_SECOND = 100
# Shorter audio holds no word, and PocketSphinx fails on less than a few frames.
MIN_SAMPLES = 1_600
# The decoder cannot be interrupted inside a chunk: this bounds how long a
# cancelled request still runs (about a fifth of it) and the decoder's memory.
CHUNK_SECONDS = 20
# Root mean square, in 16-bit units, of the loudest 100 ms (about -66 dBFS)
# below which there is nothing to recognise and decoding would invent words.
SILENCE_RMS = 16.0

# Measured on the five librivox recordings of pocketsphinx-testdata, each
# decoded in one piece (mean word error rate, real-time factor on one core):
#   as shipped                        0.272  0.28
#   fwdflat off (no second pass)      0.248  0.24
#   + bestpathlw 6.5 to 8 (from 9.5)  0.212  0.17
#   + maxhmmpf 6000 (from 30000)      0.212  0.15, and bounded on noise
# Wider beams, other lw, topn, silence and word penalties gained nothing;
# narrower beams (1e-44) and maxhmmpf 3000 lost accuracy.
DECODER_OPTIONS: Dict[str, Any] = {"fwdflat": False, "bestpathlw": 7.5, "maxhmmpf": 6000}

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


def check_audio(pcm: Samples) -> None:
    """Raise ClientError unless ``pcm`` ([T] int16, 16 kHz) is within bounds."""
    if pcm.size == 0:
        raise ClientError("empty_audio: AUDIO_PCM holds no samples")
    if pcm.size > MAX_SECONDS * SAMPLE_RATE:
        raise ClientError(f"audio_too_long: at most {MAX_SECONDS} seconds a call")


def check_topk(topk: int) -> int:
    """Return how many hypotheses are wanted (0 means 1); ClientError if out of range."""
    if not 0 <= topk <= MAX_TOPK:
        raise ClientError(f"invalid_parameter: TOPK must be from 0 to {MAX_TOPK}")
    return max(topk, 1)


def clean_word(word: str) -> str:
    """Return the word as written, or "" for a filler.

    ``was(2)`` is an alternate pronunciation; ``<sil>``, ``[NOISE]`` and
    ``++UH++`` are not words.
    """
    if not word or word[0] in "<[" or word.startswith("++"):
        return ""
    return _ALTERNATE.sub("", word)


def chunk_bounds(pcm: Samples, chunk_seconds: float = CHUNK_SECONDS) -> List[Tuple[int, int]]:
    """Cut long audio at its quietest places: [(first, last + 1)] in samples.

    Each chunk is decoded whole, so its cepstral mean is its own.
    """
    limit = int(chunk_seconds * SAMPLE_RATE)
    window, hop = SAMPLE_RATE // 5, SAMPLE_RATE // 50
    bounds: List[Tuple[int, int]] = []
    first = 0
    while pcm.size - first > limit:
        part = pcm[first + limit // 2 : first + limit].astype(np.float64)
        energy = np.concatenate(([0.0], np.cumsum(part * part)))
        starts = np.arange(0, part.size - window, hop)
        quietest = int(starts[np.argmin(energy[starts + window] - energy[starts])])
        cut = first + limit // 2 + quietest + window // 2
        bounds.append((first, cut))
        first = cut
    bounds.append((first, int(pcm.size)))
    return bounds


def is_silent(pcm: Samples) -> bool:
    """True when no 100 ms of it is louder than ``SILENCE_RMS``."""
    window = SAMPLE_RATE // 10
    padded = np.zeros(-(-pcm.size // window) * window, np.float32)
    padded[: pcm.size] = pcm
    blocks = padded.reshape(-1, window)
    # Without its mean: a constant offset of the recording device is not sound.
    return bool(np.max(np.std(blocks, axis=1), initial=0.0) < SILENCE_RMS)


def words_of(
    segments: List[Segment], offset: float, duration: float, after: float = 0.0
) -> List[Word]:
    """Turn decoder segments into words with times in the whole recording.

    Args:
        segments: of one chunk, in order.
        offset: seconds from the start of the recording to the chunk's start.
        duration: of the whole recording, seconds; no time exceeds it.
        after: end of the word before; no time precedes it.
    """
    words: List[Word] = []
    for raw, first, last, confidence in segments:
        word = clean_word(raw)
        if not word:
            continue
        start = min(max(offset + first / FRAMES_PER_SECOND, after), duration)
        end = min(max(offset + (last + 1) / FRAMES_PER_SECOND, start), duration)
        words.append(
            {
                "word": word,
                "start": round(start, 3),
                "end": round(end, 3),
                "confidence": round(min(max(confidence, 0.0), 1.0), 4),
            }
        )
        after = end
    return words


def rank_texts(best: str, ranked: List[Tuple[str, float]], topk: int) -> List[Tuple[str, float]]:
    """Return up to ``topk`` different texts, the shown one first."""
    scores: Dict[str, float] = {}
    for text, score in ranked:
        scores.setdefault(text, score)
    top = scores.pop(best, max(scores.values(), default=1.0))
    return [(best, top), *scores.items()][:topk]


def join_ranked(chunks: List[List[Tuple[str, float]]], topk: int) -> List[Dict[str, Any]]:
    """Join the chunks' hypotheses rank by rank; a short list repeats its last.

    Args:
        chunks: per chunk, best first, (text, score); each has at least one.
        topk: how many to return at most.
    """
    depth = min(topk, max((len(chunk) for chunk in chunks), default=1))
    joined: List[Dict[str, Any]] = []
    for rank in range(depth):
        picks = [chunk[min(rank, len(chunk) - 1)] for chunk in chunks]
        text = " ".join(text for text, _ in picks if text)
        joined.append({"text": text, "score": float(np.prod([score for _, score in picks]))})
    return joined


class Recognizer:
    """One PocketSphinx decoder; used by one thread at a time."""

    def __init__(self) -> None:
        """Load the models that come inside the package (about 0.4 s).

        Raises:
            EngineError: the package is missing or its models do not load.
        """
        self._booster: Optional[Any] = None
        self._start()

    def _start(self) -> None:
        try:
            from pocketsphinx import Decoder  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package pocketsphinx is not installed") from error
        try:
            self._decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL", **DECODER_OPTIONS)
            utterance(self._decoder, noise(), 1)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"PocketSphinx did not start: {error}") from error

    def transcribe(
        self,
        pcm: Samples,
        topk: int = 1,
        cancelled: Optional[Callable[[], bool]] = None,
        boost: Tuple[str, ...] = (),
    ) -> Dict[str, Any]:
        """Recognise ``pcm`` ([T] int16, 16 kHz, mono); the result is JSON-ready.

        ``boost`` are phrases to prefer, as ``asr_boost.check_boost`` gives them.

        Raises:
            ClientError: audio or ``topk`` out of bounds.
            Cancelled: ``cancelled`` said so between two chunks.
            EngineError: the decoder failed.
        """
        check_audio(pcm)
        topk = check_topk(topk)
        duration = pcm.size / SAMPLE_RATE
        words: List[Word] = []
        ranked: List[List[Tuple[str, float]]] = []
        for first, last in chunk_bounds(pcm):
            if cancelled is not None and cancelled():
                raise Cancelled
            chunk = pcm[first:last]
            if chunk.size < MIN_SAMPLES or is_silent(chunk):
                continue
            decode = partial(self._boosted, phrases=boost) if boost else self._decode
            segments, texts = decode(chunk, topk)
            after = words[-1]["end"] if words else 0.0
            new = words_of(segments, first / SAMPLE_RATE, duration, after)
            words += new
            ranked.append(rank_texts(" ".join(word["word"] for word in new), texts, topk))
        confidences = [word["confidence"] for word in words]
        result: Dict[str, Any] = {
            "text": " ".join(word["word"] for word in words),
            "words": words,
            "confidence": round(float(np.mean(confidences)), 4) if words else 0.0,
            "duration": round(duration, 4),
        }
        if topk > 1:
            result["nbest"] = join_ranked(ranked, topk)
        return result

    def _decode(self, chunk: Samples, topk: int) -> Tuple[List[Segment], List[Tuple[str, float]]]:
        """Decode one utterance, and after a failure leave a new decoder behind."""
        try:
            return utterance(self._decoder, chunk, topk)
        except RuntimeError as error:
            # It may be left inside an utterance and would then refuse every other.
            self._start()
            raise EngineError(f"PocketSphinx failed: {error}") from error

    def _boosted(
        self, chunk: Samples, topk: int, phrases: Tuple[str, ...]
    ) -> Tuple[List[Segment], List[Tuple[str, float]]]:
        """Decode one utterance with the decoder that prefers phrases."""
        if self._booster is None:
            from asr_boost import Booster  # noqa: PLC0415 - only where it is used

            self._booster = Booster()
        return self._booster.decode(chunk, topk, phrases)


def noise() -> Samples:
    """What a decoder's first utterance, which differs in its last digits, is spent on."""
    return np.random.default_rng(1).normal(0.0, 800.0, SAMPLE_RATE).astype(np.int16)


def utterance(
    decoder: Any, chunk: Samples, topk: int
) -> Tuple[List[Segment], List[Tuple[str, float]]]:
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
