"""Transliteration over the package indic-transliteration. No Triton in here."""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Sequence

from transliteration_latin import DRAVIDIAN, EASTERN, SCHWA_DROPPED, readings, spellings
from transliteration_text import (
    LATIN,
    SCRIPTS,
    EngineError,
    between,
    clean_text,
    parts_of,
    word_pattern,
)

DEVANAGARI = "devanagari"
# Spellings of scholars, after those of everyone.
SCHOLARLY = ("iso", "iast", "itrans", "hk")
VIRAMAS = "्্੍્୍்్್്"
# Letters that the package takes for others of their row, as Tamil and Bengali may be read, too.
PLAIN = {
    "tamil": {"க": "क", "ச": "च", "ட": "ट", "த": "त", "ப": "प"},
    "bengali": {"ব": "ब"},
    "assamese": {"ব": "ब"},
}
# Letters of the south in Devanagari, and what the north writes for them.
NORTHERN = str.maketrans("ऎऒॆॊऩऱऴ", "एओेोनरळ")
# What ends a word in Malayalam, Telugu and Kannada, after the letter with its virama.
FINAL = {
    "ml": {"മ്": "\u0d02", "ന്": "ൻ", "ര്": "ർ", "ല്": "ൽ", "ള്": "ൾ", "ണ്": "ൺ"},
    "te": {"మ్": "\u0c02"},
    "kn": {"ಮ್": "\u0c82"},
}
# The package marks the letters that Tamil lacks by numbers.
_NUMBERED = re.compile("[²³⁴₂₃₄]")
_DOTTED = re.compile(".[\u093c\u09bc\u0a3c\u0b3c]")
_WHOLE = {
    unicodedata.normalize("NFD", chr(one)): chr(one)
    for one in range(0x0900, 0x0D80)
    if len(unicodedata.normalize("NFD", chr(one))) > 1
}
# What a script lacks, and what stands for it.
_LACKING = {"f": "ph", "z": "j", "q": "k", "x": "ks", "K": "kh", "G": "g", "R": "r", "Y": "y"}


class Transliterator:
    """All pairs of the configuration."""

    def __init__(self, pairs: Sequence[str]) -> None:
        """Load the scripts.

        Args:
            pairs: such as ``en-hi``.

        Raises:
            EngineError: the package is not installed, or a pair is of other languages.
        """
        try:
            from indic_transliteration import sanscript  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package indic-transliteration is not installed") from error
        self._sanscript: Any = sanscript
        self._maps: Dict[str, Any] = {}
        for pair in pairs:
            known = [code for code in pair.split("-") if code == LATIN or code in SCRIPTS]
            if len(known) != 2 or known[0] == known[1]:  # noqa: PLR2004 - a pair
                raise EngineError(f"parameter languages: no transliteration of {pair}")
        self.pairs = list(pairs)
        self._candidates = lru_cache(maxsize=10_000)(self._all_of)

    def transliterate(
        self, source: str, target: str, raw: bytes, topk: int, *, word_level: bool
    ) -> List[str]:
        """Return suggestions for one text, the likeliest first; what is no word stays.

        Args:
            source: from ``check_pair``.
            target: likewise.
            raw: UTF-8, at most 5,000 characters.
            topk: how many there may be; a sentence has one.
            word_level: whether the text is a word.

        Raises:
            ClientError: the text is out of bounds.
        """
        parts = parts_of(clean_text(raw), word_pattern(source))
        found = [
            self._candidates(source, target, part.text, word_level and topk > 1)
            if part.is_word
            else [between(part.text, source, target)]
            for part in parts
        ]
        count = max((len(one) for one in found), default=1) if word_level else 1
        texts = ["".join(one[min(n, len(one) - 1)] for one in found) for n in range(count)]
        return list(dict.fromkeys(texts))[:topk]

    def _all_of(self, source: str, target: str, word: str, several: bool) -> Sequence[str]:  # noqa: FBT001 - an argument of the cache
        found: List[str] = []
        for made in self._each(source, target, word):
            if made:
                found.append(unicodedata.normalize("NFC", made))
                if not several:
                    break
        return list(dict.fromkeys(found)) or [word]

    def _each(self, source: str, target: str, word: str) -> Iterator[str]:
        """What the word may be, one by one; empty where a script lacks something."""
        if source == LATIN:
            yield from (self._from_latin(one, target) for one in readings(word, target))
        elif target == LATIN:
            yield from spellings(_NUMBERED.sub("", self._map(word, source, DEVANAGARI)), source)
            yield from (self._map(word, source, roman) for roman in SCHOLARLY)
        else:
            plain = self._map(word, source, DEVANAGARI)
            if target not in DRAVIDIAN:
                plain = plain.translate(NORTHERN)
            yield self._written(self._map(plain, DEVANAGARI, target), target)

    def _from_latin(self, reading: str, target: str) -> str:
        made = self._map(reading, "itrans", target)
        for letter, other in _LACKING.items():
            if letter in made:
                reading = reading.replace(letter, other)
        if re.search("[A-Za-z]", made):
            made = self._map(reading, "itrans", target)
        if re.search("[A-Za-z]", made):
            return ""
        if target in SCHWA_DROPPED and made[-1:] in tuple(VIRAMAS):
            made = made[:-1]
        return self._written(made, target)

    @staticmethod
    def _written(text: str, target: str) -> str:
        """The habits of a script that the package leaves out."""
        for letter, final in FINAL.get(target, {}).items():
            if text.endswith(letter):
                text = text[: -len(letter)] + final
        if target == "pa":
            # After a short vowel the nasal is a tippi, not a bindi.
            text = re.sub("(?<=[ਕ-ਹ਼ਿੁੂਅਇਉ])ਂ", "ੰ", text)
        elif target == "ta":
            # The dental one begins words, and goes before its stop.
            text = re.sub("(?<=.)ந(?!்த)", "ன", text)
        elif target in EASTERN:
            # Between vowels it is no ja.
            text = re.sub("(?<=[^্])য", "য়", text)
        return _NUMBERED.sub("", text)

    def _map(self, text: str, source: str, target: str) -> str:
        """Write a text of one language, or scheme, in that of another."""
        one, other = (SCRIPTS[code][0] if code in SCRIPTS else code for code in (source, target))
        if one == other:
            return text
        key = f"{one} {other}"
        if key not in self._maps:
            schemes = self._sanscript.SCHEMES
            made = self._sanscript.SchemeMap(schemes[one], schemes[other])
            for letter, plain in PLAIN.get(one, {}).items():
                for table in (made.consonants, made.non_marks_viraama):
                    table[letter] = schemes[other]["consonants"][plain]
            self._maps[key] = made
        return str(self._sanscript.transliterate(composed(text), scheme_map=self._maps[key]))


def composed(text: str) -> str:
    """Join letters and their dots below, which the package knows as one letter only."""
    return _DOTTED.sub(
        lambda pair: _WHOLE.get(pair[0], pair[0]), unicodedata.normalize("NFC", text)
    )
