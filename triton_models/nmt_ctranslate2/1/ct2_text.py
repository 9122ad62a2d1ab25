"""Texts of a translation: bounds, sentences. No engine is used in here."""

import re
import unicodedata
from typing import List, NamedTuple

from ct2_languages import ClientError

MAX_CHARACTERS = 5_000

# A Latin mark ends a sentence before a space and what may begin one, other marks anywhere. A run of
# marks is looked at once, from its start: every other way takes time by the square of its length.
_END = re.compile(
    r"(?<![.!?…])[.!?…]+[\"'”’»)\]]*(?=\s+[^\sa-z])|[।॥۔؟。！？]+[\"'”’»)\]]*|\n+"  # noqa: RUF001 - full stops of several scripts
)
# After these, and after a single letter, a full stop ends no sentence.
_SHORTENED = {"mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "rev", "gen", "col", "sr", "jr"}
_LONGEST_SHORTENED = max(map(len, _SHORTENED))


class Piece(NamedTuple):
    """A sentence, and the spaces around it, which stay as they are."""

    before: str
    text: str
    after: str


def clean_text(raw: bytes) -> str:
    """Decode and bound one text.

    Raises:
        ClientError: not UTF-8, a NUL in it, or too long.
    """
    if len(raw) > 4 * MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a sentence")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError("invalid_text: not UTF-8") from error
    if "\0" in text:
        raise ClientError("invalid_text: a NUL character")
    if len(text) > MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a sentence")
    return "".join(
        " " if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} else c
        for c in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def pieces_of(text: str) -> List[Piece]:
    """Cut a text into sentences, each a line at most: many models drop a second sentence."""
    pieces: List[Piece] = []
    done = 0
    for found in _END.finditer(text):
        if found[0].startswith(".") and len(found[0]) == 1 and _shortened(text, found.start()):
            continue
        pieces.append(_piece(text[done : found.end()]))
        done = found.end()
    if done < len(text):
        pieces.append(_piece(text[done:]))
    return pieces


def _shortened(text: str, end: int) -> bool:
    """Whether the word before a place is an abbreviation; a longer one need not be read whole."""
    word = re.search(r"\w*$", text[max(end - _LONGEST_SHORTENED - 1, 0) : end])
    return word is not None and (len(word[0]) == 1 or word[0].lower() in _SHORTENED)


def _piece(text: str) -> Piece:
    bare = text.strip()
    if not bare:
        return Piece(text, "", "")
    start = text.index(bare)
    return Piece(text[:start], bare, text[start + len(bare) :])


def halves_of(text: str) -> List[str]:
    """Cut a text that is too long at the space nearest to its middle; in the middle without one."""
    middle = len(text) // 2
    spaces = [place for place, one in enumerate(text) if one.isspace()]
    cut = min(spaces, key=lambda place: abs(place - middle)) if spaces else middle
    return [half.strip() for half in (text[:cut], text[cut:]) if half.strip()]


def joiner(text: str) -> str:
    """What stands between the halves of a text."""
    return " " if any(one.isspace() for one in text) else ""
