"""Feature flags as the rest of the gateway knows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

Origin = Literal["api", "route"]
"""Who asked: a caller of the evaluation API, or the choice of a model for a request."""


class ModelChoice(NamedTuple):
    """Which model serves a request.

    Attributes:
        variant: Name of the flag's variant; `default` without one. A label of metrics.
        model: Triton model; None leaves the service's own default.
        version: Of the model; None is the newest.
    """

    variant: str
    model: str | None = None
    version: str | None = None

    @property
    def reference(self) -> str:
        """As the services read it: `model` or `model/version`."""
        return f"{self.model}/{self.version}" if self.version else self.model or ""


DEFAULT_CHOICE = ModelChoice("default")


class FlagKind(StrEnum):
    """The type of a flag's value."""

    BOOLEAN = "boolean"
    STRING = "string"
    NUMBER = "number"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as its source describes it.

    Attributes:
        name: Unique in its environment.
        enabled: Whether it is on at all; for whom is the strategies' question.
        kind: Type of its variants' payloads; boolean without variants.
        variants: Their names.
        strategies: Names of the activation strategies.
        split: Whether it divides those it is evaluated for by a hash.
        rollout: Largest percentage of its strategies; None when none is gradual.
    """

    name: str
    enabled: bool
    description: str = ""
    type: str = "release"
    kind: FlagKind = FlagKind.BOOLEAN
    variants: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    split: bool = False
    rollout: int | None = None


@dataclass(frozen=True, slots=True)
class StoredFlag:
    """A flag as the database keeps it.

    Attributes:
        definition: What is needed to evaluate it again: the feature and its segments.
    """

    flag: Flag
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FlagState:
    """How well the flags are known.

    Attributes:
        source: `unleash`, `file` or `none`.
        stale: The source did not answer last time; the last known flags are in use.
        refreshed_at: When it last answered; None when never since the start.
    """

    source: str
    environment: str
    stale: bool
    refreshed_at: datetime | None


@dataclass(frozen=True, slots=True)
class FlagContext:
    """Whom a flag is evaluated for.

    Attributes:
        targeting_key: What a rollout sticks to by default: the API key or user.
        attributes: `organization`, `userId`, `sessionId`, and what a caller of the API adds.
    """

    targeting_key: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlagEvaluation:
    """What a flag said.

    Attributes:
        value: Of the flag: a boolean, or the payload of a variant.
        variant: Its name, when the flag has variants.
        reason: OpenFeature's: `TARGETING_MATCH`, `SPLIT`, `DISABLED` (the flag is off), `DEFAULT`
            (on, but not for this context), `STATIC` (in memory), `ERROR`.
        error_code: OpenFeature's, e.g. `FLAG_NOT_FOUND`; the value is then the caller's default.
    """

    flag_name: str
    value: Any
    variant: str | None
    reason: str
    evaluated_at: datetime
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """An evaluation as it is kept.

    Attributes:
        targeting_key: As given, or a hash of a long one.
        value: None where the caller's own default was the answer.
    """

    id: str
    flag_name: str
    environment: str
    tenant_id: str
    subject: str
    targeting_key: str
    value: Any
    variant: str | None
    reason: str
    origin: Origin
    request_id: str
    evaluated_at: datetime
