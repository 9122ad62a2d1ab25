"""Bodies of `/api/v1/feature-flags`."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from gateway.models.accounts import Page
from gateway.models.flags import Flag, FlagEvaluation, FlagState
from gateway.schemas.admin_common import printable
from gateway.services.flags import Synchronized

MAX_BULK = 100
MAX_ATTRIBUTES = 50
MAX_TEXT = 200

FLAG_NAME = r"^[0-9A-Za-z._~!*'()-]{1,100}$"

FlagName = Annotated[str, StringConstraints(pattern=FLAG_NAME)]
Key = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(printable)
]
Text = Annotated[StrictStr, StringConstraints(max_length=MAX_TEXT)]
Scalar = StrictBool | StrictInt | StrictFloat | Text | None
Attributes = Annotated[dict[Key, Scalar], Field(max_length=MAX_ATTRIBUTES)]
Environment = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._~-]{1,50}$")]


class _Asked(BaseModel):
    """For whom flags are evaluated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: Key | None = Field(
        default=None, description="The targeting key; the sender itself when absent"
    )
    context: Attributes = Field(
        default_factory=dict, description="Attributes that strategies may look at"
    )
    environment: Environment | None = Field(
        default=None, description="The gateway's own; any other is refused"
    )


class EvaluateRequest(_Asked):
    """One flag."""

    flag_name: FlagName
    default_value: JsonValue = Field(
        default=None, description="The answer when the flag has none; its type is the value's"
    )


class BooleanRequest(_Asked):
    """One flag that is on or off."""

    flag_name: FlagName
    default_value: StrictBool = False


class BulkRequest(_Asked):
    """Many flags for one context."""

    flag_names: list[FlagName] = Field(min_length=1, max_length=MAX_BULK)
    default_values: dict[FlagName, JsonValue] = Field(default_factory=dict, max_length=MAX_BULK)


class EvaluationAnswer(BaseModel):
    """What a flag says."""

    model_config = ConfigDict(frozen=True)

    flag_name: str
    value: Any
    variant: str | None
    reason: str
    evaluated_at: datetime
    error_code: str | None = None

    @classmethod
    def of(cls, evaluation: FlagEvaluation) -> Self:
        """For the wire."""
        return cls(
            flag_name=evaluation.flag_name,
            value=evaluation.value,
            variant=evaluation.variant,
            reason=evaluation.reason,
            evaluated_at=evaluation.evaluated_at,
            error_code=evaluation.error_code,
        )


class BulkAnswer(BaseModel):
    """What each flag says, in the order of the request."""

    model_config = ConfigDict(frozen=True)

    evaluations: list[EvaluationAnswer]


class StateAnswer(BaseModel):
    """Where the flags come from."""

    model_config = ConfigDict(frozen=True)

    source: str
    environment: str
    stale: bool
    refreshed_at: datetime | None

    @classmethod
    def of(cls, state: FlagState) -> Self:
        """For the wire."""
        return cls(
            source=state.source,
            environment=state.environment,
            stale=state.stale,
            refreshed_at=state.refreshed_at,
        )


class FlagAnswer(BaseModel):
    """A flag; whom its strategies choose is not told, as they may name other organizations."""

    model_config = ConfigDict(frozen=True)

    name: str
    enabled: bool
    description: str
    type: str
    kind: str
    variants: list[str]
    strategies: list[str]
    rollout: int | None
    environment: str

    @classmethod
    def of(cls, flag: Flag, environment: str) -> Self:
        """For the wire."""
        return cls(
            name=flag.name,
            enabled=flag.enabled,
            description=flag.description,
            type=flag.type,
            kind=flag.kind.value,
            variants=list(flag.variants),
            strategies=list(flag.strategies),
            rollout=flag.rollout,
            environment=environment,
        )


class FlagPage(BaseModel):
    """A page of flags, by name."""

    model_config = ConfigDict(frozen=True)

    items: list[FlagAnswer]
    next: str | None
    state: StateAnswer

    @classmethod
    def of(cls, page: Page[Flag], state: FlagState) -> Self:
        """For the wire."""
        return cls(
            items=[FlagAnswer.of(flag, state.environment) for flag in page.items],
            next=page.next,
            state=StateAnswer.of(state),
        )


class SyncAnswer(BaseModel):
    """What a synchronization found."""

    model_config = ConfigDict(frozen=True)

    flags: int
    changed: list[str]
    synced_at: datetime
    state: StateAnswer

    @classmethod
    def of(cls, done: Synchronized) -> Self:
        """For the wire."""
        return cls(
            flags=done.flags,
            changed=list(done.changed),
            synced_at=done.synced_at,
            state=StateAnswer.of(done.state),
        )
