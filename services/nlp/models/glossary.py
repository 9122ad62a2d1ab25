"""Glossaries: how a tenant wants its own words translated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.nlp.models.languages import Pair

MAX_TERM_CHARACTERS = 100
MAX_TRANSLATION_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class GlossaryLimits:
    """How much a tenant may keep.

    Attributes:
        glossaries: One for each pair of languages.
        terms: In each.
    """

    glossaries: int
    terms: int


@dataclass(frozen=True, slots=True)
class GlossaryHead:
    """A glossary without its terms.

    Attributes:
        id: Its id.
        pair: Whose translations it changes.
        term_count: How many terms it has.
        created_at: When it was made.
        updated_at: When it changed last.
    """

    id: str
    pair: Pair
    term_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Glossary:
    """A glossary with its terms: the translation by term."""

    head: GlossaryHead
    terms: Mapping[str, str]
