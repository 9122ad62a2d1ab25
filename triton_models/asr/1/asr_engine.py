"""PocketSphinx recognition: bounds, chunking, word times, confidences.

No Triton in here, so that it can be tested without it.
"""

import re
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from asr_decoder import SAMPLE_RATE, Decoders, Samples, Segment

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
    """Recognizes recordings; used by one thread at a time."""

    def __init__(self) -> None:
        """Load the models.

        Raises:
            EngineError: the package is missing or its models do not load.
        """
        self._decoders = Decoders()

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
            segments, texts = self._decoders.decode(chunk, topk, boost)
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
