"""What is written in another script and what comes out."""

from dataclasses import dataclass

from services.nlp.models.languages import Pair


@dataclass(frozen=True, slots=True)
class TransliterationOrder:
    """A request for transliteration.

    Attributes:
        texts: What to write in another script.
        pair: From which language's script into which one's.
        service_id: Which model; None is the default one.
        scripts: ISO 15924 codes of source and target, where they were said.
        sentences: Whether the texts are running text; single words otherwise.
        suggestions: How many spellings of a word are wanted.
    """

    texts: tuple[str, ...]
    pair: Pair
    service_id: str | None = None
    scripts: tuple[str | None, str | None] = (None, None)
    sentences: bool = True
    suggestions: int = 1


@dataclass(frozen=True, slots=True)
class TransliteratedItem:
    """A text as the client wrote it, and its spellings, best first."""

    source: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transliteration:
    """A finished request.

    Attributes:
        id: Of the stored request.
        items: In the order of the texts.
        characters: Of all sources.
        timings_ms: Duration of each step.
        used: Which model answered, see `shared.serving`.
    """

    id: str
    items: tuple[TransliteratedItem, ...]
    characters: int
    timings_ms: dict[str, float]
    used: str
