"""Translating a text without touching its layout, markup and placeholders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.nlp.models.translation import TextFormat
from services.nlp.services.documents.flat import Flat
from services.nlp.services.documents.markup import html_parts, looks_like_html, text_parts
from services.nlp.services.documents.masking import Sentence
from services.nlp.services.documents.sentences import sentence_parts
from services.nlp.services.documents.terms import Terms
from shared.text.clean import clean_text

LONGEST_SENTENCE = 1_000


@dataclass(frozen=True, slots=True)
class Layout:
    """A text taken apart: sentences to translate among parts to keep.

    Attributes:
        parts: In order; joined, with the sentences as they were written, they are the text.
    """

    parts: tuple[str | Sentence, ...]

    @property
    def wanted(self) -> tuple[Sentence, ...]:
        """The sentences, in order."""
        return tuple(part for part in self.parts if not isinstance(part, str))

    def sentences(self) -> list[str]:
        """What the model is to translate first."""
        found: list[str] = []
        for sentence in self.wanted:
            if sentence.text is None:
                found += sentence.piece_texts()
            else:
                found.append(sentence.text)
        return found

    def broken(self, translations: Mapping[str, str]) -> list[Sentence]:
        """The sentences whose marks did not come back."""
        return [
            sentence
            for sentence in self.wanted
            if sentence.marked
            and sentence.text is not None
            and sentence.fill(translations[sentence.text]) is None
        ]

    def rejoin(self, translations: Mapping[str, str]) -> str:
        """The text with each sentence replaced by its translation.

        Args:
            translations: Of all `sentences()`, and of the pieces of the `broken` ones.
        """
        return "".join(
            part if isinstance(part, str) else _translated(part, translations)
            for part in self.parts
        )


def take_apart(
    text: str,
    *,
    longest: int = LONGEST_SENTENCE,
    text_format: TextFormat = TextFormat.TEXT,
    glossaries: Sequence[Terms] = (),
    whole: bool = True,
) -> Layout:
    """Sentences to translate, and everything else to keep.

    Args:
        text: Within its bound on length.
        longest: Longer sentences are cut, in characters.
        text_format: What the text is written in.
        glossaries: Words with a given translation; the first one goes before the others.
        whole: False where placeholders and tags are never to be shown to the model.
    """
    cleaned = clean_text(text)
    is_html = text_format is TextFormat.HTML or (
        text_format is TextFormat.AUTO and looks_like_html(cleaned)
    )
    parts: list[str | Sentence] = []
    for part in html_parts(cleaned) if is_html else text_parts(cleaned):
        if isinstance(part, Flat):
            parts += sentence_parts(part, longest=longest, glossaries=glossaries, whole=whole)
        elif part:
            parts.append(part)
    return Layout(tuple(parts))


def _translated(sentence: Sentence, translations: Mapping[str, str]) -> str:
    if sentence.text is not None:
        found = sentence.fill(translations[sentence.text])
        if found is not None:
            return found
    return sentence.join(sentence.pieces(), translations)
