"""Tasks that mark or rewrite parts of a text: entities, personal data, key phrases, summaries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.text.ner.model import Entity
from shared.text.pii.model import Action, PiiKind


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A request that needs nothing but texts and their language."""

    texts: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class TaggedToken:
    """A token with its IOB2 tag, as ULCA's clients read it."""

    token: str
    tag: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recognized:
    """The entities of a text, and its tokens where they were asked for."""

    entities: tuple[Entity, ...]
    tokens: tuple[TaggedToken, ...] = ()


@dataclass(frozen=True, slots=True)
class PiiOrder:
    """A request for redaction.

    Attributes:
        texts: What to redact.
        language: Of the texts.
        default: What becomes of kinds that `actions` does not name.
        actions: What becomes of each kind.
        salt: Of the hashes; None draws one for the request.
        least: Less sure findings are left out.
    """

    texts: tuple[str, ...] = field(repr=False)
    language: str
    default: Action = Action.LABEL
    actions: Mapping[PiiKind, Action] = field(default_factory=dict)
    salt: str | None = field(default=None, repr=False)
    least: float = 0.5


@dataclass(frozen=True, slots=True)
class KeywordOrder:
    """A request for key phrases, at most `count` of each text."""

    texts: tuple[str, ...]
    language: str
    count: int


@dataclass(frozen=True, slots=True)
class Keyword:
    """A key phrase.

    Attributes:
        text: As it stands at its first place.
        score: Of 1 for the best of the text.
        count: How often it occurs.
        places: Start and end of the first of them.
    """

    text: str
    score: float
    count: int
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SummaryLength:
    """How many sentences, or which share of them; the ratio goes first."""

    sentences: int = 3
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class SummaryOrder:
    """A request for summaries."""

    texts: tuple[str, ...]
    language: str
    length: SummaryLength


@dataclass(frozen=True, slots=True)
class ChosenSentence:
    """A sentence of a summary; the score is 1 for the most telling one."""

    start: int
    end: int
    score: float
