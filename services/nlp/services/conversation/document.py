"""The rules as a document: typed and bounded; `reading` checks it as a whole.

A rule names one of a few detectors, the figures that it compares with and the phrase lists that it
looks for. What the detectors do is code (`detectors`); when they fire, how much it matters and what
is advised is here.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, FailFast, Field, StrictBool, StrictStr
from pydantic import model_validator as validated

from services.nlp.models.conversation import Severity

_PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+$"

HESITATIONS, FILLERS, UNFINISHED = "hesitations", "fillers", "unfinished"
QUESTIONS_OPEN, QUESTIONS_CLOSED = "questions_open", "questions_closed"
ROLE_AGENT, ROLE_CUSTOMER = "role_agent", "role_customer"
NEEDED_LISTS = (
    HESITATIONS,
    FILLERS,
    UNFINISHED,
    QUESTIONS_OPEN,
    QUESTIONS_CLOSED,
    ROLE_AGENT,
    ROLE_CUSTOMER,
)
"""Lists that figures and roles rest on; they may be empty."""

Name = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Line = Annotated[StrictStr, Field(min_length=1, max_length=300, pattern=_PLAIN)]
Phrase = Annotated[StrictStr, Field(min_length=1, max_length=300, pattern=_PLAIN)]
Language = Annotated[StrictStr, Field(pattern="^[a-z]{2,3}$")]
Lists = Annotated[list[Name], Field(max_length=20)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=3600)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Figure = Annotated[float, Field(strict=True, ge=0, le=10_000)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000)]
Who = Literal["agent", "customer", "any"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Span(_Part):
    """A part of the call, in shares of its duration: what begins in it counts."""

    start: Share = 0.0
    end: Share = 1.0

    @validated(mode="after")
    def _in_order(self) -> "Span":
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class _Rule(_Part):
    id: Name
    enabled: StrictBool = True
    severity: Severity
    weight: Annotated[int, Field(strict=True, ge=0, le=100)] = 50
    speaker: Who = "agent"
    advice: Line
    most: Annotated[int, Field(strict=True, ge=1, le=100)] = 10

    def lists(self) -> Iterator[str]:
        """Names of the lists that the rule looks for."""
        yield from ()


class MonologueRule(_Rule):
    """One speaker talks on; what others only murmur does not end it."""

    detector: Literal["monologue"]
    longer_than_s: Seconds


class MetricRule(_Rule):
    """A figure of a speaker is out of bounds; one of both bounds is needed."""

    detector: Literal["metric"]
    metric: Literal["talk_ratio", "filler_rate", "words_per_minute"]
    above: Figure | None = None
    below: Figure | None = None
    min_talk_s: Annotated[float, Field(strict=True, ge=0, le=3600)] = 0.0

    @validated(mode="after")
    def _bounded(self) -> "MetricRule":
        if self.above is None and self.below is None:
            raise ValueError("above or below is needed")
        return self


class QuestionsRule(_Rule):
    """Too few questions are asked: fewer than a number, or than a rate if that gives more."""

    detector: Literal["questions"]
    kind: Literal["open", "any"] = "any"
    fewer_than: Annotated[int, Field(strict=True, ge=1, le=1_000)]
    per_10_minutes: Figure = 0.0
    part: Span = Span()
    min_duration_s: Annotated[float, Field(strict=True, ge=0, le=86_400)] = 0.0


class InterruptionRule(_Rule):
    """The speaker cuts in, and the other one stops."""

    detector: Literal["interruption"]
    min_overlap_s: Seconds


class ResponseRule(_Rule):
    """The speaker is slow to answer."""

    detector: Literal["slow_response"]
    longer_than_s: Seconds


class AnswerTest(_Part):
    """Whether the other side takes up what was said, in its next turn.

    Attributes:
        phrases: Lists one of which shows that it does.
        deflections: Lists that show that it does not, whatever else is said.
        open_question: Whether an open question shows it too.
        only_unanswered: Whether the rule fires only where nothing shows it.
        severity_unanswered: In place of the rule's own; likewise `advice_unanswered`.
    """

    phrases: Lists = []
    deflections: Lists = []
    open_question: StrictBool = False
    only_unanswered: StrictBool = False
    severity_unanswered: Severity | None = None
    advice_unanswered: Line | None = None


class MentionRule(_Rule):
    """The speaker says a phrase of a list.

    Attributes:
        unless_raised: Lists of which the other side said something before: it asked for it.
    """

    detector: Literal["mention"]
    phrases: Lists
    part: Span = Span()
    unless_raised: Lists = []
    answer: AnswerTest | None = None

    def lists(self) -> Iterator[str]:
        """Names of the lists that the rule looks for."""
        yield from self.phrases
        yield from self.unless_raised
        if self.answer is not None:
            yield from self.answer.phrases
            yield from self.answer.deflections


class MissingRule(_Rule):
    """Nobody of the speaker's side says any phrase of a list in a part of the call."""

    detector: Literal["missing"]
    phrases: Lists
    part: Span = Span()
    min_duration_s: Annotated[float, Field(strict=True, ge=0, le=86_400)] = 0.0

    def lists(self) -> Iterator[str]:
        """Names of the lists that the rule looks for."""
        yield from self.phrases


class MoodRule(_Rule):
    """The speaker's sentiment drops.

    Attributes:
        below: Score from which a segment counts, 0 to -1.
        drop: How far above it the speaker's last `before` segments were at least, on average.
        phrases: Lists one of which must be said as well, where any is named: the model also calls
            a sober report of bad things negative.
    """

    detector: Literal["mood_drop"]
    below: Annotated[float, Field(strict=True, ge=-1, le=0)]
    drop: Annotated[float, Field(strict=True, ge=0, le=2)]
    before: Annotated[int, Field(strict=True, ge=1, le=20)] = 3
    min_words: Count = 3
    phrases: Lists = []

    def lists(self) -> Iterator[str]:
        """Names of the lists that the rule looks for."""
        yield from self.phrases


Rule = Annotated[
    MonologueRule
    | MetricRule
    | QuestionsRule
    | InterruptionRule
    | ResponseRule
    | MentionRule
    | MissingRule
    | MoodRule,
    Field(discriminator="detector"),
]


class RulesDocument(_Part):
    """Rules and the phrase lists that they name.

    Attributes:
        languages: ISO 639 codes that the phrases are written in.
    """

    schema_version: Literal[1]
    name: Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=_PLAIN)]
    languages: Annotated[list[Language], Field(min_length=1, max_length=10)]
    # Of a million wrong phrases only the first one is named.
    lists: Annotated[
        dict[Name, Annotated[list[Phrase], FailFast()]], FailFast(), Field(max_length=100)
    ]
    rules: Annotated[list[Rule], Field(max_length=100)]


_KINDS = (
    MonologueRule,
    MetricRule,
    QuestionsRule,
    InterruptionRule,
    ResponseRule,
    MentionRule,
    MissingRule,
    MoodRule,
)
DETECTORS = frozenset(get_args(kind.model_fields["detector"].annotation)[0] for kind in _KINDS)
