"""Bodies of pipelines: ULCA's members, and our own beside them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictStr

from gateway.services.pipelines.plan import MAX_ITEMS, Plan, make_plan
from gateway.services.pipelines.running import Done, Failure, Outcome
from shared.wire import AnswerModel, RequestModel

_MAX_TASKS = 4
_ULCA = {
    "asr": ("source", "nBestTokens"),
    "translation": ("source", "target"),
    "transliteration": ("source", "target"),
    "tts": ("audioContent", "audioUri"),
}
Name = Annotated[StrictStr, Field(min_length=1, max_length=32)]


class PipelineTask(RequestModel):
    """One task; its configuration is that of the task's own route."""

    task_type: Name = Field(
        description="asr, translation, transliteration or tts", examples=["translation"]
    )
    config: dict[str, Any] | None = Field(
        default=None,
        description="As the task's own route takes it. `language.sourceLanguage` may be left out "
        "after the first task: it is the language that the task before makes",
        examples=[{"language": {"sourceLanguage": "en", "targetLanguage": "es"}}],
    )


class PipelineInput(RequestModel):
    """What the first task takes."""

    input: Annotated[list[dict[str, Any]], Field(max_length=MAX_ITEMS)] | None = Field(
        default=None, description="Texts: `[{source}]`", examples=[[{"source": "Good morning."}]]
    )
    audio: Annotated[list[dict[str, Any]], Field(max_length=MAX_ITEMS)] | None = Field(
        default=None, description="Recordings, for asr: `[{audioContent}]` or `[{audioUri}]`"
    )


class PipelineRequest(RequestModel):
    """Body of `POST /api/v1/pipeline/inference`."""

    pipeline_tasks: list[PipelineTask] = Field(min_length=1, max_length=_MAX_TASKS)
    input_data: PipelineInput
    control_config: dict[str, Any] | None = Field(
        default=None, description="Of every task: `{dataTracking}`"
    )

    def plan(self) -> Plan:
        """The pipeline as the domain knows it; see `make_plan`."""
        return make_plan(
            [(task.task_type, task.config) for task in self.pipeline_tasks],
            self.input_data.input,
            self.input_data.audio,
            self.control_config,
        )


class StepOut(AnswerModel):
    """How a task was done."""

    task: str
    request_id: str = Field(alias="request_id", description="In the logs of every service")
    id: str | None = Field(description="Of the stored request, at the task's own routes")
    variant: str = Field(description="Of the model; `none`: there was nothing to do")
    model: str | None = Field(description="null: the default one")
    ms: float

    @classmethod
    def of(cls, done: Done, request_id: str) -> "StepOut":
        """From the domain."""
        return cls(
            task=done.step.task,
            request_id=request_id,
            id=done.document.get("id"),
            variant=done.variant,
            model=done.model,
            ms=round(done.answer.seconds * 1000, 2) if done.answer is not None else 0.0,
        )


class StepError(AnswerModel):
    """Where a pipeline ended."""

    step: int = Field(description="Index of the task")
    task: str
    status: int = Field(description="What the task's own route would have answered")
    code: str
    detail: str
    errors: list[dict[str, str]] | None = Field(default=None, description="As in a problem")

    @classmethod
    def of(cls, failure: Failure) -> "StepError":
        """From the domain."""
        error = failure.error
        return cls(
            step=failure.step.index,
            task=failure.step.task,
            status=error.status,
            code=error.code,
            detail=error.detail,
            errors=error.members.get("errors"),
        )


class PipelineAnswer(AnswerModel):
    """What the tasks made, in order, each as its own route answers."""

    pipeline_response: list[dict[str, Any]]
    steps: list[StepOut]
    error: StepError | None = Field(
        default=None, description="With status 207: why the tasks after the last one are missing"
    )

    @classmethod
    def of(cls, outcome: Outcome, request_id: str) -> "PipelineAnswer":
        """From the domain."""
        return cls(
            pipeline_response=[one.document for one in outcome.done],
            steps=[StepOut.of(one, request_id) for one in outcome.done],
            error=None if outcome.failure is None else StepError.of(outcome.failure),
        )


class UlcaTask(BaseModel):
    """What a task made: `output`, or `audio` where it speaks."""

    taskType: str  # noqa: N815 - ULCA's name
    config: dict[str, Any] | None
    output: list[dict[str, Any]] | None
    audio: list[dict[str, Any]] | None


class UlcaPipelineAnswer(BaseModel):
    """What the tasks made, in order."""

    pipelineResponse: list[UlcaTask]  # noqa: N815 - ULCA's name


def ulca_answer(outcome: Outcome) -> dict[str, Any]:
    """`pipelineResponse` with the members of ULCA, and no more."""
    return {"pipelineResponse": [_ulca_task(one) for one in outcome.done]}


def _ulca_task(done: Done) -> dict[str, Any]:
    task = done.step.task

    def entries(member: str) -> list[dict[str, Any]] | None:
        found = done.document.get(member)
        if found is None:
            return None
        return [{name: one.get(name) for name in _ULCA[task] if name in one} for one in found]

    return {
        "taskType": task,
        "config": done.document.get("config"),
        "output": entries("output"),
        "audio": entries("audio"),
    }
