"""Bodies of the translation routes: ULCA's members, and our own besides them."""

from datetime import datetime
from typing import Literal

from services.nlp.models.languages import Pair
from services.nlp.models.translation import (
    StoredTranslation,
    TranslatedItem,
    Translation,
    TranslationOrder,
)
from services.nlp.schemas.common import (
    LanguageCode,
    ScriptCode,
    ServiceId,
    Status,
    TextItem,
    Usage,
    status_of,
)
from shared.wire import AnswerModel, RequestModel


class TranslationLanguage(RequestModel):
    """From which language into which; scripts are accepted and follow from the language."""

    source_language: LanguageCode
    target_language: LanguageCode
    source_script_code: ScriptCode | None = None
    target_script_code: ScriptCode | None = None


class TranslationConfig(RequestModel):
    """How to translate."""

    service_id: ServiceId | None = None
    language: TranslationLanguage


class TranslationRequest(RequestModel):
    """Body of `POST /api/v1/nmt/inference`."""

    input: list[TextItem]
    config: TranslationConfig

    def order(self) -> TranslationOrder:
        """The request as the domain knows it."""
        language = self.config.language
        return TranslationOrder(
            texts=tuple(item.source for item in self.input),
            pair=Pair(language.source_language, language.target_language),
            service_id=self.config.service_id,
        )


class TranslationOutput(AnswerModel):
    """One text and its translation."""

    source: str
    target: str

    @classmethod
    def of(cls, item: TranslatedItem) -> "TranslationOutput":
        """The item on the wire."""
        return cls(source=item.source, target=item.target)


class TranslatedLanguage(AnswerModel):
    """From which language into which."""

    source_language: str
    target_language: str
    source_script_code: str | None = None
    target_script_code: str | None = None


class TranslationAnswerConfig(AnswerModel):
    """How it was translated."""

    service_id: str | None = None
    language: TranslatedLanguage


class TranslationAnswer(AnswerModel):
    """Answer of `POST /api/v1/nmt/inference`."""

    id: str
    task_type: Literal["translation"] = "translation"
    output: list[TranslationOutput]
    config: TranslationAnswerConfig
    usage: Usage
    timings: dict[str, float]

    @classmethod
    def of(cls, translation: Translation, config: TranslationConfig) -> "TranslationAnswer":
        """The answer for a finished request."""
        language = config.language
        return cls(
            id=translation.id,
            output=[TranslationOutput.of(item) for item in translation.items],
            config=TranslationAnswerConfig(
                service_id=config.service_id,
                language=TranslatedLanguage(
                    source_language=language.source_language,
                    target_language=language.target_language,
                    source_script_code=language.source_script_code,
                    target_script_code=language.target_script_code,
                ),
            ),
            usage=Usage(characters=translation.characters),
            timings=translation.timings_ms,
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
                language=TranslatedLanguage(
                    source_language=record.pair.source, target_language=record.pair.target
                )
            ),
            items=record.item_count,
            sentences=record.sentences,
            characters=record.characters,
            latency_ms=record.latency_ms,
            output=[TranslationOutput.of(item) for item in stored.items],
        )


class PairEntry(AnswerModel):
    """One direction of one model."""

    service_id: str
    source_language: str
    target_language: str


class PairsAnswer(AnswerModel):
    """Answer of `GET /api/v1/nmt/languages`."""

    pairs: list[PairEntry]
