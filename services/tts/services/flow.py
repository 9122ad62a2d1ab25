"""Text on its way to speech: plain stretches, and stretches whose words are given."""

import re
import unicodedata
from collections.abc import Iterator

from services.tts.services.chunking import Chunk, Chunker
from services.tts.services.normalization import FIXED, Fixed, Piece, normalize
from services.tts.services.pronunciation import Pronunciations
from shared.text.sentences import split_sentences

_PARAGRAPH_END = re.compile(r"\n[^\S\n]*+(?:\n\s*+)+")
# Closing punctuation may follow; an abbreviation's full stop is not told from a sentence's here.
_ENDS = re.compile("[.!?…।॥؟\u06d4\u3002\uff01\uff1f\uff61။።][\"'”’»)\\]」』]*$")
_SPOKEN_CATEGORIES = "LNS"
"""Letters, numbers and symbols; punctuation alone has no sound."""


class Flow:
    """What is spoken in one manner without a break.

    Args:
        language: ISO 639 code, with a region if wanted.
        lexicon: Of the tenant; empty where it is for another language.
    """

    def __init__(self, language: str, lexicon: Pronunciations) -> None:
        self._language = language
        self._lexicon = lexicon
        self._parts: list[str] = []
        self._fixed: list[Fixed] = []

    def add(self, text: str) -> None:
        """Plain text."""
        # The placeholder's own character has no meaning in a text.
        self._parts.append(text.replace(FIXED, ""))

    def add_fixed(self, source: str, spoken: str) -> None:
        """Text that is spoken as given."""
        self._parts.append(FIXED)
        self._fixed.append(Fixed(source, spoken))

    def chunks(self, chunker: Chunker, *, ended: bool) -> list[Chunk]:
        """The parts, in order; the flow is empty after that.

        Args:
            chunker: Of the whole text.
            ended: Whether a sentence ends with the flow, whatever its last character is.
        """
        text, fixed = self._with_lexicon("".join(self._parts))
        self._parts, self._fixed = [], []
        chunks: list[Chunk] = []
        for paragraph in _PARAGRAPH_END.split(text):
            chunks += chunker.cut(self._sentences(" ".join(paragraph.split()), fixed))
        if chunks and not ended and not _ENDS.search(text.rstrip()):
            last = chunks[-1]
            chunks[-1] = Chunk(last.text, last.source, ends_sentence=False)
        return [chunk for chunk in chunks if can_be_spoken(chunk.text)]

    def _sentences(self, text: str, fixed: Iterator[Fixed]) -> Iterator[list[Piece]]:
        for sentence in split_sentences(text)[1::2]:
            own = [next(fixed) for _ in range(sentence.count(FIXED))]
            yield normalize(sentence, self._language, own)

    def _with_lexicon(self, text: str) -> tuple[str, Iterator[Fixed]]:
        """The text with a placeholder for each phrase of the lexicon, and all that is given."""
        found = self._lexicon.find(text)
        if not found:
            return text, iter(self._fixed)
        given = iter(self._fixed)
        parts: list[str] = []
        fixed: list[Fixed] = []
        end = 0
        for one in found:
            before = text[end : one.start]
            fixed += [next(given) for _ in range(before.count(FIXED))]
            fixed.append(Fixed(text[one.start : one.end], one.alias))
            parts += [before, FIXED]
            end = one.end
        parts.append(text[end:])
        return "".join(parts), iter([*fixed, *given])


def can_be_spoken(text: str) -> bool:
    """Whether anything in a text has a sound."""
    return any(unicodedata.category(character)[0] in _SPOKEN_CATEGORIES for character in text)
