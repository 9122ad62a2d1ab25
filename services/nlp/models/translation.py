"""What is translated and what comes out."""

from dataclasses import dataclass
from datetime import datetime

from services.nlp.models.languages import Pair


@dataclass(frozen=True, slots=True)
class TranslationOrder:
    """A request for translation."""

    texts: tuple[str, ...]
    pair: Pair
    service_id: str | None = None


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
    """

    id: str
    items: tuple[TranslatedItem, ...]
    characters: int
    timings_ms: dict[str, float]
    used: str


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
