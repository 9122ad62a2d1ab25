"""Bodies of the translation routes: ULCA's members, and our own besides them."""

from datetime import datetime
from typing import Literal

from pydantic import Field, StrictBool

from services.nlp.models.translation import (
    StoredTranslation,
    TextFormat,
    TranslatedItem,
    Translation,
    TranslationOrder,
)
from services.nlp.schemas.common import (
    LanguagePair,
    LanguagePairAnswer,
    ServiceId,
    Status,
    TextItems,
    Usage,
    status_of,
)
from services.nlp.schemas.glossary import Terms
from shared.wire import AnswerModel, RequestModel


class TranslationConfig(RequestModel):
    """How to translate."""

    service_id: ServiceId | None = None
    language: LanguagePair
    format: TextFormat = Field(
        default=TextFormat.TEXT,
        description="What the texts are written in; `auto` looks for tags of HTML",
    )
    glossary: Terms = Field(
        default={}, description="Translation by term, before those of the tenant's glossary"
    )
    tenant_glossary: StrictBool = Field(
        default=True, description="Whether the tenant's glossary of the pair is used"
    )


class TranslationRequest(RequestModel):
    """Body of `POST /api/v1/nmt/inference`."""

    input: TextItems
    config: TranslationConfig

    def order(self) -> TranslationOrder:
        """The request as the domain knows it."""
        config = self.config
        return TranslationOrder(
            texts=tuple(item.source for item in self.input),
            pair=config.language.pair,
            service_id=config.service_id or None,
            scripts=config.language.scripts,
            text_format=config.format,
            glossary=config.glossary,
            own_glossary=config.tenant_glossary,
        )


class TranslationOutput(AnswerModel):
    """One text and its translation."""

    source: str
    target: str

    @classmethod
    def of(cls, item: TranslatedItem) -> "TranslationOutput":
        """The item on the wire."""
        return cls(source=item.source, target=item.target)


class TranslationAnswerConfig(AnswerModel):
    """How it was translated."""

    service_id: str | None = None
    language: LanguagePairAnswer


class DegradedStep(AnswerModel):
    """What the translation had to do without."""

    step: Literal["glossary"]
    reason: str


class TranslationAnswer(AnswerModel):
    """Answer of `POST /api/v1/nmt/inference`."""

    id: str
    task_type: Literal["translation"] = "translation"
    output: list[TranslationOutput]
    config: TranslationAnswerConfig
    usage: Usage
    timings: dict[str, float]
    degraded: list[DegradedStep] = Field(default_factory=list)

    @classmethod
    def of(cls, translation: Translation, config: TranslationConfig) -> "TranslationAnswer":
        """The answer for a finished request."""
        return cls(
            id=translation.id,
            output=[TranslationOutput.of(item) for item in translation.items],
            config=TranslationAnswerConfig(
                service_id=config.service_id, language=LanguagePairAnswer.of(config.language)
            ),
            usage=Usage(characters=translation.characters),
            timings=translation.timings_ms,
            degraded=[
                DegradedStep(step="glossary", reason=reason)
                for reason in translation.degraded.values()
            ],
        )


class StoredTranslationAnswer(AnswerModel):
    """Answer of `GET /api/v1/nmt/requests/{id}`."""

    id: str
    request_id: str
    created_at: datetime
    task_type: Literal["translation"] = "translation"
    status: Status
    error_code: str | None
    model: str
    config: TranslationAnswerConfig
    items: int
    sentences: int
    characters: int
    latency_ms: float
    output: list[TranslationOutput]

    @classmethod
    def of(cls, stored: StoredTranslation) -> "StoredTranslationAnswer":
        """The answer for a stored request."""
        record = stored.record
        return cls(
            id=record.id,
            request_id=stored.request_id,
            created_at=record.created_at,
            status=status_of(record.error_code),
            error_code=record.error_code,
            model=record.model,
            config=TranslationAnswerConfig(
                language=LanguagePairAnswer(
                    source_language=record.pair.source, target_language=record.pair.target
                )
            ),
            items=record.item_count,
            sentences=record.sentences,
            characters=record.characters,
            latency_ms=record.latency_ms,
            output=[TranslationOutput.of(item) for item in stored.items],
        )
