"""Bodies of the glossary routes, and the terms of a request."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, FailFast, Field, StrictStr

from services.nlp.models.glossary import (
    MAX_TERM_CHARACTERS,
    MAX_TRANSLATION_CHARACTERS,
    Glossary,
    GlossaryHead,
)
from services.nlp.models.languages import Pair
from services.nlp.schemas.common import LanguageCode
from services.nlp.services.documents.terms import LONGEST_TERM, words_in
from shared.wire import AnswerModel, RequestModel

MAX_REQUEST_TERMS = 200
_MOST_CHANGES = 10_000
"""Whatever the settings allow a glossary to hold."""


_JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Seen by nobody, and Persian and Indic words are spelled with them."""


def _readable(text: str) -> str:
    if not text.translate(_JOINERS).isprintable() or text != text.strip():
        raise ValueError("not printable, or with white space around")
    return text


def _with_word(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("without a letter or digit")
    if len(text) > LONGEST_TERM and words_in(text) > LONGEST_TERM:
        raise ValueError(f"more than {LONGEST_TERM} words and marks")
    return text


Term = Annotated[
    StrictStr,
    Field(min_length=1, max_length=MAX_TERM_CHARACTERS),
    AfterValidator(_readable),
    AfterValidator(_with_word),
]
TermTranslation = Annotated[
    StrictStr,
    Field(min_length=1, max_length=MAX_TRANSLATION_CHARACTERS),
    AfterValidator(_readable),
]
Terms = Annotated[
    dict[Term, TermTranslation],
    FailFast(),
    Field(max_length=MAX_REQUEST_TERMS, examples=[{"gateway": "pasarela"}]),
]
StoredTerms = Annotated[
    dict[Term, TermTranslation],
    FailFast(),
    Field(max_length=_MOST_CHANGES, examples=[{"gateway": "pasarela"}]),
]
TermChanges = Annotated[
    dict[Term, TermTranslation | None],
    FailFast(),
    Field(max_length=_MOST_CHANGES, examples=[{"gateway": "pasarela", "old term": None}]),
]


class NewGlossary(RequestModel):
    """Body of `POST /api/v1/nmt/glossaries`."""

    source_language: LanguageCode
    target_language: LanguageCode
    terms: StoredTerms = Field(description="Translation by term; whole words, in any case")

    @property
    def pair(self) -> Pair:
        """The languages."""
        return Pair(self.source_language, self.target_language)


class GlossaryTerms(RequestModel):
    """Body of `PUT /api/v1/nmt/glossaries/{id}`: all terms that it is to have."""

    terms: StoredTerms


class GlossaryChanges(RequestModel):
    """Body of `PATCH /api/v1/nmt/glossaries/{id}`: null removes a term (RFC 7396)."""

    terms: TermChanges


class GlossaryEntry(AnswerModel):
    """A glossary without its terms."""

    id: str
    source_language: str
    target_language: str
    term_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, head: GlossaryHead) -> "GlossaryEntry":
        """On the wire."""
        return cls(
            id=head.id,
            source_language=head.pair.source,
            target_language=head.pair.target,
            term_count=head.term_count,
            created_at=head.created_at,
            updated_at=head.updated_at,
        )


class GlossaryAnswer(GlossaryEntry):
    """A glossary."""

    terms: dict[str, str]

    @classmethod
    def with_terms(cls, glossary: Glossary) -> "GlossaryAnswer":
        """On the wire."""
        return cls(**dict(GlossaryEntry.of(glossary.head)), terms=dict(glossary.terms))


class GlossariesAnswer(AnswerModel):
    """Answer of `GET /api/v1/nmt/glossaries`."""

    glossaries: list[GlossaryEntry]
