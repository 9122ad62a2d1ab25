"""Bodies of `/api/v1/calls` and its aliases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from gateway.models.accounts import Page
from gateway.models.calls import Call, CallDocument, Degradation, ReplayOrder, SpeakingStyle

_EXTENSIBLE = ConfigDict(frozen=True, extra="allow")


class CallForm(BaseModel):
    """The fields of a call; the ASR service reads them."""

    language: str = Field(default="en", description="That is spoken")
    title: str | None = Field(default=None, description="Up to 200 characters")
    external_id: str | None = Field(default=None, description="The call's id in another system")
    agent_name: str | None = None
    customer_name: str | None = None
    channels: Literal["mix", "separate"] = Field(
        default="mix", description="separate: each channel is a speaker of its own"
    )
    agent_channel: int | None = Field(
        default=None, description="Of separate channels, the agent's; the first one is 0"
    )
    first_speaker: Literal["agent", "customer"] | None = Field(
        default=None, description="Who of both is heard first"
    )
    num_speakers: int | None = Field(default=None, description="How many there are, if known")
    min_speakers: int | None = None
    max_speakers: int | None = None
    service_id: str | None = Field(default=None, description="Which model")
    audio_format: str | None = Field(default=None, description="Of headerless audio")
    encoding: str | None = Field(default=None, description="mulaw or alaw, of headerless audio")
    sampling_rate: int | None = Field(default=None, description="Hz; of headerless audio")
    post_processors: list[str] = Field(default=[], description="itn, punctuation")
    boost: list[str] = Field(default=[], description="Phrases that are likely to be spoken")
    words: bool = Field(default=False, description="Tell every word with its times")
    keep_recording: bool = Field(
        default=True, description="Keep the recording, encrypted, for a while: for replays"
    )
    data_tracking: bool = Field(
        default=True, description="false: neither transcript nor recording nor names are stored"
    )


class CallJson(CallForm):
    """The same as JSON, with the recording in base64 or by its address."""

    audio_content: str | None = Field(default=None, alias="audioContent")
    audio_uri: str | None = Field(default=None, alias="audioUri", description="https URL")


def transcribe_docs() -> dict[str, Any]:
    """`openapi_extra` of the routes that take a call."""
    place = "#/components/schemas/{model}"
    form = CallForm.model_json_schema(ref_template=place)
    form["properties"]["file"] = {
        "type": "string",
        "format": "binary",
        "description": "The recording: wav, flac, mp3, ogg, opus; mp4, m4a, aac and webm where the "
        "extra `media` is installed",
    }
    form["required"] = ["file"]
    document = CallJson.model_json_schema(ref_template=place)
    content = {
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": document},
    }
    return {"requestBody": {"required": True, "content": content}}


class DegradedOut(BaseModel):
    """A step that the answer does without; its parts are null."""

    step: str
    reason: str


class SegmentOut(BaseModel):
    """A stretch of speech of one speaker, in seconds."""

    model_config = _EXTENSIBLE

    speaker: str | None = None
    start: float
    end: float
    text: str
    confidence: float
    channel: int | None = None
    sentiment: dict[str, Any] | None = None


class SpeakerOut(BaseModel):
    """Who speaks."""

    model_config = _EXTENSIBLE

    speaker: str
    role: Literal["agent", "customer"] | None = None
    role_source: Literal["given", "guessed"] | None = None
    speech_seconds: float


class TranscriptOut(BaseModel):
    """What was said; `speakers` is null where they could not be told apart."""

    text: str
    confidence: float
    duration: float
    segments: list[SegmentOut]
    words: list[dict[str, Any]] | None = None
    speakers: list[SpeakerOut] | None


class RecordingOut(BaseModel):
    """The kept recording."""

    seconds: float
    expires_at: datetime


class MomentOut(BaseModel):
    """A coachable moment: where it is, by which rule, and what to do better."""

    model_config = _EXTENSIBLE

    rule_id: str
    rule_version: str
    severity: Literal["info", "warning", "critical"]
    speaker: str
    segment: int | None = Field(description="Of the transcript, counted from 0")
    start: float
    end: float
    quote: str
    advice: str
    evidence: dict[str, Any]


class CallSummary(BaseModel):
    """A call without its content."""

    call_id: str
    created_at: datetime
    status: Literal["complete", "degraded"]
    language: str
    duration: float
    title: str | None
    external_id: str | None
    agent_name: str | None
    customer_name: str | None
    degraded: list[DegradedOut]

    @classmethod
    def members(cls, call: Call, degraded: tuple[Degradation, ...]) -> dict[str, Any]:
        """Of a call, by name."""
        details: Mapping[str, Any] = call.details
        names = ("title", "external_id", "agent_name", "customer_name")
        return {
            "call_id": call.id,
            "created_at": call.created_at,
            "status": "degraded" if degraded else "complete",
            "language": call.language,
            "duration": call.duration_s,
            "degraded": [DegradedOut(step=one.step, reason=one.reason) for one in degraded],
            **{name: details.get(name) for name in names},
        }


class CallAnswer(CallSummary):
    """A call with its content."""

    transcript: TranscriptOut | None
    sentiment: dict[str, Any] | None = Field(description="Of the whole call")
    metrics: dict[str, Any] | None = Field(description="Of the conversation")
    moments: list[MomentOut] | None = Field(description="Coachable, the most important first")
    recording: RecordingOut | None = Field(description="null: none is kept")
    timings: dict[str, float] = Field(description="Milliseconds by step of the analysis")

    @classmethod
    def of(cls, found: CallDocument) -> "CallAnswer":
        """From the domain."""
        return cls.model_validate(
            {
                **cls.members(found.call, found.degraded),
                "transcript": found.transcript,
                "sentiment": found.sentiment,
                "metrics": found.metrics,
                "moments": found.moments,
                "recording": found.recording,
                "timings": found.call.timings,
            }
        )


class CallPage(BaseModel):
    """A page of calls, newest first."""

    items: list[CallSummary]
    next: str | None

    @classmethod
    def of(cls, page: Page[Call]) -> "CallPage":
        """From the domain."""
        return cls(
            items=[
                CallSummary.model_validate(CallSummary.members(call, call.degraded))
                for call in page.items
            ],
            next=page.next,
        )


Language = Annotated[StrictStr, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")]
Word = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9+_.-]{0,63}$")]


class ReplayRequest(BaseModel):
    """Body of `POST /api/v1/calls/{id}/replay`; all members may be absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    moment: StrictInt = Field(default=0, ge=0, le=10_000, description="0 is the most important")
    include_clip: StrictBool = Field(
        default=False, description="Let the recording of the moment follow the advice"
    )
    clip_seconds: float = Field(default=30.0, gt=0, le=120, strict=True, description="At most")
    pause: float = Field(default=0.5, ge=0, le=5, strict=True, description="Seconds before it")
    language: Language = Field(default="en", description="Of the advice")
    gender: Literal["male", "female"] | None = None
    voice: Word | None = None
    speed: float | None = Field(default=None, ge=0.25, le=4, strict=True)
    format: Word = "wav"
    sampling_rate: StrictInt | None = Field(default=None, ge=8_000, le=48_000)

    def order(self) -> ReplayOrder:
        """As the domain knows it."""
        return ReplayOrder(
            moment=self.moment,
            include_clip=self.include_clip,
            clip_s=self.clip_seconds,
            pause_s=self.pause,
            style=SpeakingStyle(
                self.language,
                self.gender,
                self.voice,
                self.speed,
                self.format,
                self.sampling_rate,
            ),
        )


class ReplayCallRequest(ReplayRequest):
    """Body of `POST /replay`."""

    call_id: Annotated[StrictStr, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
