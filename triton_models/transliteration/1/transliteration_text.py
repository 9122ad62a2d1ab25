"""Requests of the transliteration model: bounds, pairs, words. No engine is used in here."""

import re
from typing import Dict, List, NamedTuple, Sequence, Tuple

MAX_CHARACTERS = 5_000
MAX_WORD = 200
MAX_TOPK = 20
LATIN = "en"
# The scheme of indic-transliteration for each language, and its Unicode block.
SCRIPTS: Dict[str, Tuple[str, int]] = {
    **dict.fromkeys(("hi", "mr", "ne", "sa", "kok", "mai"), ("devanagari", 0x0900)),
    "bn": ("bengali", 0x0980),
    "as": ("assamese", 0x0980),
    "pa": ("gurmukhi", 0x0A00),
    "gu": ("gujarati", 0x0A80),
    "or": ("oriya", 0x0B00),
    "ta": ("tamil", 0x0B80),
    "te": ("telugu", 0x0C00),
    "kn": ("kannada", 0x0C80),
    "ml": ("malayalam", 0x0D00),
}
# Places of a block: letters and signs come before the two dandas, digits after them.
DANDA, DIGITS = 0x64, range(0x66, 0x70)
DANDAS = "।॥"

_CODES = """
eng:en hin:hi mar:mr nep:ne npi:ne san:sa gom:kok ben:bn asm:as pan:pa guj:gu ori:or ory:or tam:ta
tel:te kan:kn mal:ml
"""
_ISO_639_3 = dict(entry.split(":") for entry in _CODES.split())
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine is not there."""


class Part(NamedTuple):
    """A word of the source's script, or what stands between two."""

    text: str
    is_word: bool


def check_pair(source: bytes, target: bytes, served: Sequence[str]) -> Tuple[str, str]:
    """Return the served languages of two tags; a tag with ``Latn`` is the Latin script.

    Raises:
        ClientError: malformed or not served.
    """
    codes = [raw[:64].decode("utf-8", "replace") for raw in (source, target)]
    languages = [_language(code) for code in codes]
    fits = all(_CODE.fullmatch(code) for code in codes)
    if not fits or "-".join(languages) not in served:
        raise ClientError("unsupported_language: " + ",".join(served))
    return languages[0], languages[1]


def _language(code: str) -> str:
    first, *others = re.split("[-_]", code.lower())
    return LATIN if "latn" in others else _ISO_639_3.get(first, first)


def check_topk(topk: int) -> int:
    """Return how many suggestions are wanted (0 means 1); ClientError if out of range."""
    if not 0 <= topk <= MAX_TOPK:
        raise ClientError(f"invalid_parameter: TOP_K must be from 0 to {MAX_TOPK}")
    return max(topk, 1)


def clean_text(raw: bytes) -> str:
    """Decode and bound one text.

    Raises:
        ClientError: not UTF-8, a NUL in it, or too long.
    """
    if len(raw) > 4 * MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a text")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError("invalid_text: not UTF-8") from error
    if "\0" in text:
        raise ClientError("invalid_text: a NUL character")
    if len(text) > MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a text")
    return text


def word_pattern(language: str) -> "re.Pattern[str]":
    """Return what matches a word in the script of a language."""
    if language == LATIN:
        return re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]+")
    start = SCRIPTS[language][1]
    # With the joiners of its letters, and the letters after the digits that Bengali has.
    return re.compile(
        f"[{chr(start)}-{chr(start + DANDA - 1)}{chr(start + 0x70)}-{chr(start + 0x7F)}"
        "\u200c\u200d]+"
    )


def parts_of(text: str, pattern: "re.Pattern[str]") -> List[Part]:
    """Cut a text into words and what stands between them; nothing is lost."""
    parts: List[Part] = []
    done = 0
    for found in pattern.finditer(text):
        parts.append(Part(text[done : found.start()], is_word=False))
        for start in range(found.start(), found.end(), MAX_WORD):
            word = text[start : min(start + MAX_WORD, found.end())]
            parts.append(Part(word, is_word=True))
        done = found.end()
    parts.append(Part(text[done:], is_word=False))
    return [part for part in parts if part.text]


def between(text: str, source: str, target: str) -> str:
    """Return what stands between words in the target's script: its digits and full stops."""
    if source == LATIN:
        return text
    start = SCRIPTS[source][1]
    if target == LATIN:
        text = re.sub(f"[{DANDAS}]", ".", text)
    other = ord("0") - DIGITS[0] if target == LATIN else SCRIPTS[target][1]
    return "".join(
        chr(other + ord(one) - start) if ord(one) - start in DIGITS else one for one in text
    )
