"""Error rates of a transcript (jiwer), also as a process of its own that holds up nobody."""

import sys
import unicodedata
from typing import Any

import jiwer
import orjson
from rapidfuzz.distance import Levenshtein

_KEPT = frozenset("LMN")
_JOINERS = "\u200c\u200d"
_APOSTROPHES = "'’"


def plain_words(text: str) -> str:
    """Lower case, composed, without punctuation; single spaces between words.

    Marks stay: the vowels of Indic scripts are such. An apostrophe stays inside a word.
    """
    kept = (
        one
        if unicodedata.category(one)[0] in _KEPT or one in _JOINERS
        else ("'" if one in _APOSTROPHES else " ")
        for one in unicodedata.normalize("NFC", text).casefold()
    )
    words = (word.strip("'") for word in "".join(kept).split())
    return " ".join(word for word in words if word)


def measure(reference: str, heard: str) -> dict[str, Any]:
    """The counts and rates of one transcript; both texts are plain words."""
    found = jiwer.process_words(reference, heard)
    return {
        "wer": round(found.wer, 4),
        "mer": round(found.mer, 4),
        "cer": round(Levenshtein.distance(reference, heard) / len(reference), 4),
        "hits": found.hits,
        "substitutions": found.substitutions,
        "deletions": found.deletions,
        "insertions": found.insertions,
        "reference_words": found.hits + found.substitutions + found.deletions,
    }


def main() -> None:
    """Measure the pair of texts on standard input."""
    reference, heard = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(orjson.dumps(measure(reference, heard)))
