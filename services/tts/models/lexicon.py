"""How a tenant wants words to be spoken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Spelling:
    """What an entry says.

    Attributes:
        phrase: As it is written; found as whole words, in any case if it is in lower case.
        alias: As it is spoken.
        language: ISO 639 code; None for every language.
    """

    phrase: str
    alias: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """A stored entry."""

    id: str
    spelling: Spelling
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LexiconPage:
    """Some entries, newest first; `next` is the cursor of the following ones."""

    items: Sequence[LexiconEntry]
    next: str | None
