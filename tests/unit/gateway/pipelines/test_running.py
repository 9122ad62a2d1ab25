"""Steps behind each other, over services that answer as told."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from gateway.exceptions import UpstreamUnavailable
from gateway.models.limits import make_policy
from gateway.models.principal import Principal
from gateway.models.routes import Route
from gateway.services.composing import Run
from gateway.services.pipelines.cuts import Cuts
from gateway.services.pipelines.links import repoint
from gateway.services.pipelines.plan import Step, Task, make_plan
from gateway.services.pipelines.running import PipelineService
from gateway.upstream.step_answer import StepAnswer
from shared.identity import Identity
from shared.metrics import Metrics
from shared.problem import SpeechgateError
from shared.tracing import request_context

TRACE = request_context(None, None)
Reply = Callable[[dict[str, Any]], Any]


def answer_of(document: Any, status: int = 200, variant: str = "default") -> StepAnswer:
    body = document if isinstance(document, bytes) else orjson.dumps(document)
    return StepAnswer(status, {}, body, variant, None, "http://a", 0.01, TRACE)


def hear(body: dict[str, Any]) -> dict[str, Any]:
    said = {"AAAA": "one", "BBBB": "two", "CCCC": " "}
    return {"id": "1", "output": [{"source": said[one["audioContent"]]} for one in body["audio"]]}


def translate(body: dict[str, Any]) -> dict[str, Any]:
    output = [{"source": one["source"], "target": one["source"].upper()} for one in body["input"]]
    return {"id": "2", "output": output, "config": body["config"]}


def speak(body: dict[str, Any]) -> dict[str, Any]:
    return {"audio": [{"audioContent": one["source"] * 5_000} for one in body["input"]]}


def transliterate(body: dict[str, Any]) -> dict[str, Any]:
    return {"output": [{"source": o["source"], "target": ["un", "deux"]} for o in body["input"]]}


class Services(Run):
    """A run whose steps are functions."""

    def __init__(self, **replies: Reply | StepAnswer | Exception) -> None:
        principal = Principal(Identity("k", "t", frozenset()), make_policy(1, 1, 1), None)
        super().__init__(None, principal, TRACE, 9.0, None)  # type: ignore[arg-type]
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._replies: dict[str, Any] = {
            "asr": hear, "nmt": translate, "tts": speak, "transliteration": transliterate
        } | replies  # fmt: skip

    async def call(self, route: Route, body: Any, *, path: str | None = None) -> StepAnswer:
        assert path is None
        document = orjson.loads(b"".join(body))
        parts = route.template.split("/")
        name = parts[-2]
        self.asked.append((name, document))
        reply = self._replies[name]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, StepAnswer) else answer_of(reply(document))


EN_ES = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
CHAIN: list[tuple[str, dict[str, Any] | None]] = [
    ("asr", {"language": {"sourceLanguage": "en"}}), ("translation", EN_ES), ("tts", None)
]  # fmt: skip


def audio(*contents: str) -> list[dict[str, Any]]:
    return [{"audioContent": content} for content in contents]


def service() -> PipelineService:
    return PipelineService(Metrics("test"))


async def test_each_step_takes_what_the_one_before_made() -> None:
    run, cuts = Services(), Cuts()
    plan = make_plan(CHAIN, None, audio("AAAA", "BBBB"), {"dataTracking": False})
    outcome = await service().run(plan, run, cuts)
    assert [name for name, _ in run.asked] == ["asr", "nmt", "tts"]
    assert run.asked[1][1]["input"] == [{"source": "one"}, {"source": "two"}]
    assert run.asked[2][1]["input"] == [{"source": "ONE"}, {"source": "TWO"}]
    assert run.asked[2][1]["config"] == {"language": {"sourceLanguage": "es"}}
    assert all(body["controlConfig"] == {"dataTracking": False} for _, body in run.asked)
    assert outcome.failure is None
    whole = orjson.loads(b"".join(cuts.fill(outcome.done[2].document)))
    assert [one["audioContent"] for one in whole["audio"]] == ["ONE" * 5_000, "TWO" * 5_000]
    assert outcome.variants == "asr=default, translation=default, tts=default"


async def test_a_silent_recording_keeps_its_place_and_costs_no_step() -> None:
    run, cuts = Services(), Cuts()
    plan = make_plan(CHAIN, None, audio("CCCC", "AAAA", "CCCC"))
    outcome = await service().run(plan, run, cuts)
    assert run.asked[1][1]["input"] == [{"source": "one"}]
    assert [one["target"] for one in outcome.done[1].document["output"]] == ["", "ONE", ""]
    whole = orjson.loads(b"".join(cuts.fill(outcome.done[2].document)))
    assert [len(one["audioContent"]) for one in whole["audio"]] == [0, 15_000, 0]
    run = Services()
    outcome = await service().run(make_plan(CHAIN, None, audio("CCCC")), run, Cuts())
    assert [name for name, _ in run.asked] == ["asr"]
    assert outcome.failure is None
    assert outcome.done[1].document["output"] == [{"source": " ", "target": ""}]
    assert [done.variant for done in outcome.done] == ["default", "none", "none"]


async def test_the_best_suggestion_of_a_transliteration_goes_on() -> None:
    config = {"language": {"sourceLanguage": "hi", "targetLanguage": "en"}}
    plan = make_plan([("transliteration", config), ("tts", None)], [{"source": "x"}], None)
    run = Services()
    await service().run(plan, run, Cuts())
    assert run.asked[1][1]["input"] == [{"source": "un"}]


async def test_what_was_done_before_a_failure_is_given() -> None:
    for reply in (
        UpstreamUnavailable("Down."),
        answer_of({"code": "unsupported_language", "detail": "No."}, 422),
        answer_of({"output": []}),
        answer_of({"output": "x"}),
        answer_of(b"<html>"),
        answer_of({"output": [{"target": 7}]}),
    ):
        run = Services(nmt=reply)
        outcome = await service().run(make_plan(CHAIN, None, audio("AAAA")), run, Cuts())
        assert [done.step.task for done in outcome.done] == ["asr"]
        assert outcome.failure is not None
        assert outcome.failure.step.task is Task.TRANSLATION
        assert [name for name, _ in run.asked] == ["asr", "nmt"], "nothing comes after a failure"
        assert outcome.failure.error.members["step"] == {"index": 1, "task": "translation"}


async def test_without_a_first_result_there_is_only_the_error() -> None:
    errors = [{"pointer": "/audio/0/audioContent", "detail": "not base64"}]
    refused = answer_of({"code": "not_base64", "detail": "Not.", "errors": errors}, 422)
    with pytest.raises(SpeechgateError) as caught:
        await service().run(make_plan(CHAIN, None, audio("AAAA")), Services(asr=refused), Cuts())
    error = caught.value
    assert (error.status, error.code) == (422, "not_base64")
    assert error.members["errors"][0]["pointer"] == "/inputData/audio/0/audioContent"
    assert error.members["step"] == {"index": 0, "task": "asr"}
    assert error.__cause__ is not error


async def test_a_client_that_leaves_ends_the_step() -> None:
    class Hanging(Services):
        async def call(self, route: Route, body: Any, *, path: str | None = None) -> StepAnswer:
            if route.template.startswith("/api/v1/nmt"):
                started.set()
                await asyncio.Event().wait()
            return await super().call(route, body, path=path)

    started, run = asyncio.Event(), Hanging()
    task = asyncio.create_task(service().run(make_plan(CHAIN, None, audio("AAAA")), run, Cuts()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [name for name, _ in run.asked] == ["asr"]


@pytest.mark.parametrize(
    ("index", "pointer", "expected"),
    [
        (0, "/config/language", "/pipelineTasks/0/config/language"),
        (1, "/config/serviceId", "/pipelineTasks/1/config/serviceId"),
        (0, "/input/3/source", "/inputData/input/3/source"),
        (1, "/input/3/source", "/pipelineTasks/1"),
        (1, "", "/pipelineTasks/1"),
    ],
)
def test_places_are_those_of_the_pipelines_body(index: int, pointer: str, expected: str) -> None:
    assert repoint(pointer, Step(index, Task.TRANSLATION, {}, "en")) == expected
