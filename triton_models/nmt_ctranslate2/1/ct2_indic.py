"""What IndicTrans2 does to a text before its subwords, and to a translation after them.

Its models read and write the languages of the Brahmi scripts in Devanagari. Their Unicode blocks
have the same order, after ISCII, so that a letter is found at the same place of another block.
Spaces are put around punctuation. Source: the paper of IndicTrans2 (arXiv:2305.16307), section 5;
the rules for English are simpler here than the Moses tokenizer's.
"""

import re
import unicodedata

DEVANAGARI = 0x0900
BLOCKS = {
    "Beng": 0x0980,
    "Guru": 0x0A00,
    "Gujr": 0x0A80,
    "Orya": 0x0B00,
    "Taml": 0x0B80,
    "Telu": 0x0C00,
    "Knda": 0x0C80,
    "Mlym": 0x0D00,
}
# Places that mean the same in all blocks; after them come letters of one script only.
SHARED = range(0x70)
# The danda and its double are those of Devanagari in all scripts.
DANDAS = (0x64, 0x65)
# Tamil writes the five stops of a place with one letter, all but ja (0x1c).
STOPS, JA, ROW = range(0x15, 0x29), 0x1C, 5

_PUNCTUATION = re.compile(r"([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~।॥؟،؛۔])")  # noqa: RUF001
_IN_NUMBER = re.compile(r"(?<=\d) ([.,:/]) (?=\d)")
_ENGLISH = re.compile(r"([\"()\[\],;:!?%]|\.$|(?<=\w)(?='(?:s|m|d|ll|re|ve|t)\b))")
_TO_THE_LEFT = re.compile(r" ([,.;:!?%)\]।॥؟،؛۔]|'(?:s|m|d|ll|re|ve|t)\b)")  # noqa: RUF001
_TO_THE_RIGHT = re.compile(r"([(\[]) ")


def before(text: str, tag: str) -> str:
    """Return a sentence as the model reads it; ``tag`` is its language's, such as ``tam_Taml``."""
    text = unicodedata.normalize("NFC", text)
    if tag.startswith("eng"):
        return " ".join(_ENGLISH.sub(r" \1 ", text).split())
    spaced = " ".join(_PUNCTUATION.sub(r" \1 ", text).split())
    return fold(_IN_NUMBER.sub(r"\1", spaced), tag[4:])


def after(text: str, tag: str) -> str:
    """Return a translation as it is written in the language of ``tag``."""
    joined = _TO_THE_RIGHT.sub(r"\1", _TO_THE_LEFT.sub(r"\1", " ".join(text.split())))
    return joined if tag.startswith("eng") else unfold(joined, tag[4:])


def fold(text: str, script: str) -> str:
    """Write a text of another Brahmi script in Devanagari."""
    return _move(text, BLOCKS.get(script, DEVANAGARI), DEVANAGARI)


def unfold(text: str, script: str) -> str:
    """Write a text in Devanagari in another Brahmi script."""
    return _move(text, DEVANAGARI, BLOCKS.get(script, DEVANAGARI))


def _move(text: str, source: int, target: int) -> str:
    if source == target:
        return text
    moved = []
    for one in text:
        place = ord(one) - source
        if place not in SHARED or place in DANDAS:
            moved.append(one)
            continue
        if target == BLOCKS["Taml"] and place in STOPS and place != JA:
            row, column = divmod(place - STOPS[0], ROW)
            if column not in {0, ROW - 1}:  # Neither the first stop nor the nasal.
                place = STOPS[0] + ROW * row
        moved.append(chr(target + place))
    return "".join(moved)
