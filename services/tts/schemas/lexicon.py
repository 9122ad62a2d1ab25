"""Bodies of the lexicon's routes."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StrictStr, StringConstraints
from pydantic.alias_generators import to_camel

from services.tts.models.lexicon import LexiconEntry, LexiconPage, Spelling
from shared.wire import AnswerModel, RequestModel

EntryLanguage = Annotated[StrictStr, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class SpellingBody(RequestModel):
    """Body of `POST` and `PUT`."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    phrase: Annotated[StrictStr, StringConstraints(min_length=1, max_length=100)] = Field(
        description="As it is written; found as whole words. In lower case it is found in any "
        "case, else only as it is written",
        examples=["SQL"],
    )
    alias: Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)] = Field(
        description="As it is spoken", examples=["sequel"]
    )
    language: EntryLanguage | None = Field(
        default=None, description="ISO 639 code without a region; every language when absent"
    )

    def spelling(self) -> Spelling:
        """As the domain knows it."""
        return Spelling(self.phrase, self.alias, self.language)


class LexiconEntryAnswer(AnswerModel):
    """An entry."""

    id: str
    phrase: str
    alias: str
    language: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, entry: LexiconEntry) -> Self:
        """From the domain."""
        return cls(
            id=entry.id,
            phrase=entry.spelling.phrase,
            alias=entry.spelling.alias,
            language=entry.spelling.language,
            created_at=entry.created_at,
            updated_at=entry.updated_at,
        )


class LexiconPageAnswer(AnswerModel):
    """A page, newest first; `next` is the cursor of the following one."""

    items: list[LexiconEntryAnswer]
    next: str | None

    @classmethod
    def of(cls, page: LexiconPage) -> Self:
        """From the domain."""
        return cls(items=[LexiconEntryAnswer.of(one) for one in page.items], next=page.next)
