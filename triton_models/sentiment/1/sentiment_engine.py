"""VADER sentiment of English text, in pieces of the length it is made for.

No Triton in here, and VADER is imported only when the scorer is made.
"""

import re
from typing import Any, Dict, List

MAX_CHARACTERS = 20_000
# VADER is made for sentences, its score saturates on long texts, and its work
# grows with the square of their words (20,000 emoji took over three minutes).
PIECE_CHARACTERS = 280
THRESHOLD = 0.05  # of the compound score, as VADER's authors define the labels

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


def check_language(raw: bytes, served: List[str]) -> None:
    """Raise ClientError unless the tag's primary language is served."""
    code = raw[:64].decode("utf-8", "replace")
    if not _LANGUAGE.fullmatch(code) or re.split("[-_]", code)[0].lower() not in served:
        raise ClientError("unsupported_language: " + ",".join(served))


def clean_text(raw: bytes) -> str:
    """Decode and bound one text.

    Raises:
        ClientError: not UTF-8, a NUL in it, or too long.
    """
    if len(raw) > 4 * MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError("invalid_text: not UTF-8") from error
    if "\0" in text:
        raise ClientError("invalid_text: a NUL character")
    if len(text) > MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters")
    return text


def pieces(text: str, limit: int = PIECE_CHARACTERS) -> List[str]:
    """Split a text into sentences, and sentences over ``limit`` at spaces."""
    if len(text) <= limit:
        return [text] if text.strip() else []
    found: List[str] = []
    for sentence in _SENTENCE_END.split(text):
        rest = sentence.strip()
        while len(rest) > limit:
            space = rest.rfind(" ", 1, limit)
            cut = space if space > 0 else limit
            found.append(rest[:cut])
            rest = rest[cut:].strip()
        if rest:
            found.append(rest)
    return found


def combine(scores: List[Dict[str, float]], lengths: List[int]) -> Dict[str, Any]:
    """Average VADER's scores of the pieces, weighted by their lengths."""
    total = sum(lengths)

    def mean(key: str) -> float:
        weighted = sum(score[key] * length for score, length in zip(scores, lengths, strict=True))
        return round(weighted / total, 4) if total else 0.0

    compound = mean("compound")
    label = "neutral"
    if abs(compound) >= THRESHOLD:
        label = "positive" if compound > 0 else "negative"
    return {
        "label": label,
        "score": compound,
        "positive": mean("pos"),
        "neutral": mean("neu") if total else 1.0,
        "negative": mean("neg"),
    }


class Scorer:
    """One VADER analyzer."""

    def __init__(self) -> None:
        """Load the lexicon; EngineError if the package is missing."""
        try:
            # Only where it is used.
            from vaderSentiment.vaderSentiment import (  # noqa: PLC0415
                SentimentIntensityAnalyzer,
            )
        except ImportError as error:
            raise EngineError("pip package vaderSentiment is not installed") from error
        self._analyzer = SentimentIntensityAnalyzer()

    def score(self, text: str) -> Dict[str, Any]:
        """Return label, score in -1..1 and the three shares; empty text is neutral."""
        parts = pieces(text)
        return combine(
            [self._analyzer.polarity_scores(part) for part in parts], [len(part) for part in parts]
        )
