"""From what a client wrote to what the model speaks."""

import re
import unicodedata

from services.tts.exceptions import SsmlUnsupported
from shared.text.clean import clean_text
from shared.text.problems import EmptyText
from shared.text.sentences import Chunk, chunk_text

# Beyond this a chunk takes no further sentence, so that the parts of a text run in parallel.
_ENOUGH_CHARACTERS = 120
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*(?:\n\s*)+")
_SSML = re.compile(r"\s*<(?:\?xml|speak\b)", re.IGNORECASE)
_SPOKEN_CATEGORIES = "LNS"
"""Letters, numbers and symbols; punctuation alone has no sound."""


def prepare(text: str, *, limit: int, pointer: str) -> list[Chunk]:
    """The parts of a text in the order in which they are spoken.

    Single line breaks are white space (text is often wrapped); an empty line ends a sentence.

    Args:
        text: Within its bound on length.
        limit: Longest part, in characters.
        pointer: Of the text in the request (RFC 6901).

    Raises:
        SsmlUnsupported: The text is an SSML document.
        EmptyText: Nothing in it can be spoken.
    """
    cleaned = clean_text(text)
    if _SSML.match(cleaned):
        raise SsmlUnsupported(pointer)
    chunks = [
        chunk
        for paragraph in _PARAGRAPH_END.split(cleaned)
        for chunk in chunk_text(
            " ".join(paragraph.split()), limit=limit, enough=min(_ENOUGH_CHARACTERS, limit)
        )
        if _can_be_spoken(chunk.text)
    ]
    if not chunks:
        raise EmptyText(pointer, "Nothing in the text can be spoken.")
    return chunks


def _can_be_spoken(text: str) -> bool:
    return any(unicodedata.category(character)[0] in _SPOKEN_CATEGORIES for character in text)
