"""Bodies of the conversation routes. Members are in snake case: no other dialect has this task."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import FailFast, Field, StrictStr

from services.nlp.models.conversation import (
    ConversationAnalysis,
    ConversationOrder,
    Role,
    RulesVersion,
    Segment,
    StoredConversation,
)
from services.nlp.schemas.common import LanguageCode, Status, Usage, status_of
from services.nlp.schemas.conversation_parts import (
    DegradedOut,
    MetricsOut,
    MomentOut,
    MoodOut,
    Out,
    RoleOut,
    SegmentOut,
    SkippedOut,
)
from shared.wire import RequestModel

LONGEST_CALL_S = 86_400
Seconds = Annotated[
    float,
    Field(strict=True, ge=0, le=LONGEST_CALL_S, allow_inf_nan=False, description="From the start"),
]
Speaker = Annotated[
    StrictStr,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+$",
        examples=["SPEAKER_00"],
    ),
]
Version = Annotated[
    StrictStr,
    Field(pattern=r"^(builtin-)?[1-9][0-9]{0,8}$", description="The rules in force when absent"),
]


class SegmentIn(RequestModel):
    """What one speaker says in one piece; times may overlap and need not be in order."""

    speaker: Speaker
    start: Seconds
    end: Seconds
    text: StrictStr = Field(examples=["How does your team work today?"])


class RulesChoice(RequestModel):
    """Which rules."""

    version: Version | None = None


class ControlConfig(RequestModel):
    """What may be kept."""

    data_tracking: bool = Field(
        default=True, description="false: only that there was a request is kept, no word of it"
    )


class ConversationRequest(RequestModel):
    """Body of `POST /api/v1/nlp/conversation/inference`."""

    # As with `TextItems`, the first one that is wrong is named.
    segments: Annotated[list[SegmentIn], FailFast()]
    roles: Annotated[dict[Speaker, Role], Field(fail_fast=True)] | None = Field(
        default=None, description="By speaker; guessed from what is said when absent"
    )
    language: LanguageCode = "en"
    rules: RulesChoice = RulesChoice()
    control_config: ControlConfig = ControlConfig()

    def order(self) -> ConversationOrder:
        """The request as the domain knows it."""
        return ConversationOrder(
            segments=tuple(
                Segment(index, one.speaker, one.start, one.end, one.text)
                for index, one in enumerate(self.segments)
            ),
            language=self.language,
            roles=self.roles or {},
            rules_version=self.rules.version,
            store_content=self.control_config.data_tracking,
        )


class ReplayRequest(RequestModel):
    """Body of `POST /api/v1/nlp/conversation/{id}/replay`."""

    rules: RulesChoice = RulesChoice()


class ConversationAnswer(Out):
    """Answer of an analysis; `moments` begin with the most important one."""

    id: str
    language: str
    rules: RulesChoice
    sentiment: MoodOut | None
    roles: list[RoleOut]
    segments: list[SegmentOut]
    metrics: MetricsOut
    moments: list[MomentOut]
    skipped: list[SkippedOut]
    degraded: list[DegradedOut]
    usage: Usage

    @classmethod
    def of(cls, analysis: ConversationAnalysis) -> "ConversationAnswer":
        """The answer for a finished request."""
        found = analysis.findings
        return cls.model_validate(
            {
                "id": analysis.id,
                "language": analysis.language,
                "rules": RulesChoice(version=found.rules_version),
                "sentiment": found.sentiment,
                "roles": found.roles,
                "segments": analysis.segments,
                "metrics": found.metrics,
                "moments": found.moments,
                "skipped": found.skipped,
                "degraded": analysis.degraded,
                "usage": Usage(characters=analysis.characters),
            }
        )


class StoredConversationAnswer(Out):
    """Answer of `GET /api/v1/nlp/conversation/{id}`; no segments where none were kept."""

    id: str
    request_id: str
    created_at: datetime
    status: Status
    error_code: str | None
    model: str
    language: str
    rules: RulesChoice
    characters: int
    moments: int
    latency_ms: float
    segments: list[SegmentOut]
    roles: dict[str, Role]
    degraded: list[DegradedOut]

    @classmethod
    def of(cls, stored: StoredConversation) -> "StoredConversationAnswer":
        """The answer for a stored conversation."""
        record, content = stored.record, stored.content
        return cls.model_validate(
            {
                "id": record.id,
                "request_id": stored.request_id,
                "created_at": record.created_at,
                "status": status_of(record.error_code),
                "error_code": record.error_code,
                "model": record.model,
                "language": record.language,
                "rules": RulesChoice(version=record.rules_version),
                "characters": record.characters,
                "moments": record.moments,
                "latency_ms": record.latency_ms,
                "segments": content.segments if content else (),
                "roles": dict(content.roles) if content else {},
                "degraded": content.degraded if content else (),
            }
        )


class RulesAnswer(Out):
    """A version of rules; `created_at` is null for those of the product."""

    version: str
    created_at: datetime | None
    document: Mapping[str, Any]

    @classmethod
    def of(cls, version: RulesVersion) -> "RulesAnswer":
        """The answer for a version."""
        return cls.model_validate(version)
