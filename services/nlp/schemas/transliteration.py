"""Bodies of the transliteration routes: ULCA's members, and our own besides them."""

from typing import Literal

from pydantic import Field, StrictBool, StrictInt

from services.nlp.models.transliteration import Transliteration, TransliterationOrder
from services.nlp.schemas.common import (
    LanguagePair,
    LanguagePairAnswer,
    ServiceId,
    TextItems,
    Usage,
)
from shared.wire import AnswerModel, RequestModel

MAX_SUGGESTIONS = 20


class TransliterationConfig(RequestModel):
    """How to spell."""

    service_id: ServiceId | None = None
    language: LanguagePair
    is_sentence: StrictBool = Field(
        default=True, description="Whether the texts are running text; single words otherwise"
    )
    num_suggestions: StrictInt = Field(
        default=5,
        ge=0,
        le=MAX_SUGGESTIONS,
        description="Most spellings of a word; running text has one",
    )


class TransliterationRequest(RequestModel):
    """Body of `POST /api/v1/nlp/transliteration/inference`."""

    input: TextItems
    config: TransliterationConfig

    def order(self) -> TransliterationOrder:
        """The request as the domain knows it."""
        config = self.config
        return TransliterationOrder(
            texts=tuple(item.source for item in self.input),
            pair=config.language.pair,
            service_id=config.service_id or None,
            scripts=config.language.scripts,
            sentences=config.is_sentence,
            suggestions=max(1, config.num_suggestions),
        )


class TransliterationOutput(AnswerModel):
    """One text and its spellings, best first."""

    source: str
    target: list[str]


class TransliterationAnswerConfig(AnswerModel):
    """How it was spelled."""

    service_id: str | None = None
    language: LanguagePairAnswer
    is_sentence: bool
    num_suggestions: int


class TransliterationAnswer(AnswerModel):
    """Answer of `POST /api/v1/nlp/transliteration/inference`."""

    id: str
    task_type: Literal["transliteration"] = "transliteration"
    output: list[TransliterationOutput]
    config: TransliterationAnswerConfig
    usage: Usage
    timings: dict[str, float]

    @classmethod
    def of(cls, made: Transliteration, config: TransliterationConfig) -> "TransliterationAnswer":
        """The answer for a finished request."""
        return cls(
            id=made.id,
            output=transliterated(made),
            config=TransliterationAnswerConfig(
                service_id=config.service_id,
                language=LanguagePairAnswer.of(config.language),
                is_sentence=config.is_sentence,
                num_suggestions=config.num_suggestions,
            ),
            usage=Usage(characters=made.characters),
            timings=made.timings_ms,
        )


def transliterated(made: Transliteration) -> list[TransliterationOutput]:
    """The items on the wire."""
    return [
        TransliterationOutput(source=item.source, target=list(item.targets)) for item in made.items
    ]
