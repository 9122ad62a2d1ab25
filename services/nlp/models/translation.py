"""What is translated and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.nlp.models.languages import Pair


class TextFormat(StrEnum):
    """What texts are written in."""

    TEXT = "text"
    HTML = "html"
    AUTO = "auto"
    """HTML where the text has a tag that only HTML has."""


@dataclass(frozen=True, slots=True)
class TranslationOrder:
    """A request for translation.

    Attributes:
        texts: What to translate.
        pair: From which language into which.
        service_id: Which model; None is the default one.
        scripts: ISO 15924 codes of source and target, where they were said.
        text_format: What the texts are written in.
        glossary: Translation by term, before those of the tenant's glossary.
        own_glossary: Whether the tenant's glossary is used.
    """

    texts: tuple[str, ...]
    pair: Pair
    service_id: str | None = None
    scripts: tuple[str | None, str | None] = (None, None)
    text_format: TextFormat = TextFormat.TEXT
    glossary: Mapping[str, str] = field(default_factory=dict)
    own_glossary: bool = True


@dataclass(frozen=True, slots=True)
class TranslatedItem:
    """A text as the client wrote it, and its translation."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A finished request.

    Attributes:
        id: Of the stored request.
        items: In the order of the texts.
        characters: Of all sources.
        timings_ms: Duration of each step.
        used: Which model answered, see `shared.serving`.
        degraded: Code of the reason by the step that was left out.
    """

    id: str
    items: tuple[TranslatedItem, ...]
    characters: int
    timings_ms: dict[str, float]
    used: str
    degraded: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TranslationRecord:
    """What is kept of every request that reached the engine."""

    id: str
    created_at: datetime
    model: str
    pair: Pair
    item_count: int
    sentences: int
    characters: int
    latency_ms: float
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTranslation:
    """A stored request as its tenant may read it."""

    record: TranslationRecord
    request_id: str
    items: tuple[TranslatedItem, ...]
