"""What is told of utterances, over steps that end when the test says so."""

import asyncio
from typing import Any

import orjson
import pytest

from gateway.models.routes import Route
from gateway.services.pipelines.interpreter import AT_ONCE, FULL, Interpreter, Sound
from gateway.services.pipelines.speech_start import InvalidStart, SpeechStart
from gateway.upstream.step_answer import StepAnswer
from shared.problem import Unavailable
from shared.tracing import request_context
from tests.support.poll import eventually

START: dict[str, Any] = {"type": "start", "source_language": "en", "target_language": "es"}
TRACE = request_context(None, None)


class Stage:
    """Steps, and what was told of them."""

    def __init__(self, *, failing: str = "", **start: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.held: list[bool] = []
        self.asked: list[dict[str, Any]] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.listening = asyncio.Event()
        self.listening.set()
        self.failing = failing
        self.running = self.most = 0
        found = SpeechStart.read(START | start)
        self.interpreter = Interpreter(found, self.step, self.tell, self.held.append)
        self.task = asyncio.create_task(self.interpreter.run())

    async def step(self, route: Route, body: bytes) -> StepAnswer:
        document = orjson.loads(body)
        self.asked.append(document)
        text, kind = document["input"][0]["source"], route.template.split("/")[3]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(0)  # As every real step, it takes a turn of the loop.
            gate = self.gates.get(text)
            if gate is not None:
                await gate.wait()
        finally:
            self.running -= 1
        if kind == self.failing:
            raise Unavailable("Down.", code="upstream_unavailable")
        if kind == "nmt":
            answer: dict[str, Any] = {"output": [{"source": text, "target": text.upper()}]}
        else:
            config = {"audioFormat": "wav", "samplingRate": 22_050}
            answer = {"audio": [{"audioContent": text, "duration": 1}], "config": config}
        return StepAnswer(200, {}, orjson.dumps(answer), "default", None, "r", 0.1, TRACE)

    async def tell(self, event: dict[str, Any], sound: Sound | None) -> None:
        await self.listening.wait()
        self.told.append(event | ({"content": sound.content} if sound else {}))

    def kinds(self) -> list[tuple[str, int]]:
        return [(event["type"], event["segment"]) for event in self.told]

    async def finish(self) -> None:
        self.interpreter.end()
        async with asyncio.timeout(5):
            await self.task
        self.interpreter.close()


async def test_in_the_order_in_which_it_was_said() -> None:
    stage = Stage(gender="male", audio_sample_rate=16_000)
    stage.gates["a"] = asyncio.Event()
    for place, text in enumerate("abc"):
        assert stage.interpreter.add(text, place, place + 1) == place
    await eventually(lambda: any(one["input"][0]["source"] == "C" for one in stage.asked))
    assert stage.told == [], "later ones are ready, and wait"
    stage.gates["a"].set()
    await stage.finish()
    order = [(kind, n) for n in range(3) for kind in ("translation", "audio")]
    assert stage.kinds() == order
    assert stage.told[1] == {
        "type": "audio", "segment": 0, "start": 0, "end": 1, "format": "wav",
        "sample_rate": 22_050, "duration": 1.0, "content": "A",
    }  # fmt: skip
    spoken = [one["config"] for one in stage.asked if "gender" in one["config"]]
    assert spoken[0]["gender"] == "male"
    assert spoken[0]["samplingRate"] == 16_000
    assert spoken[0]["language"] == {"sourceLanguage": "es"}


async def test_a_translation_does_not_wait_for_its_sound() -> None:
    stage = Stage()
    stage.gates["A"] = asyncio.Event()
    stage.interpreter.add("a", 0, 1)
    await eventually(lambda: stage.kinds() == [("translation", 0)])
    stage.gates["A"].set()
    await stage.finish()


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ("nmt", [("segment_failed", 0), ("segment_failed", 1)]),
        (
            "tts",
            [("translation", 0), ("segment_failed", 0), ("translation", 1), ("segment_failed", 1)],
        ),
    ],
)
async def test_a_failed_step_costs_its_utterance(
    failing: str, expected: list[tuple[str, int]]
) -> None:
    stage = Stage(failing=failing)
    stage.interpreter.add("a", 0, 1)
    stage.interpreter.add("b", 1, 2)
    await stage.finish()
    assert stage.kinds() == expected
    failure = stage.told[-1]
    assert failure["code"] == "upstream_unavailable"
    assert failure["step"] == {"nmt": "translation", "tts": "tts"}[failing]
    assert stage.interpreter.failed == 2


async def test_only_a_few_at_once_and_no_more_than_can_be_told() -> None:
    stage = Stage()
    stage.listening.clear()
    for place in range(FULL):
        stage.interpreter.add(f"t{place}", place, place + 1)
    assert stage.held == [True]
    stage.listening.set()
    await stage.finish()
    assert stage.held == [True, False]
    assert 1 < stage.most <= AT_ONCE
    assert len(stage.told) == 2 * FULL


@pytest.mark.parametrize(
    "start",
    [
        {"source_language": "e"},
        {"target_language": "es mx"},
        {"target_language": "en-GB"},
        {"audio": "mp3"},
        {"gender": "x"},
        {"speed": 9},
        {"sample_rate": "16000"},
        {"unknown": 1},
    ],
)
def test_a_wrong_start(start: dict[str, Any]) -> None:
    with pytest.raises(InvalidStart) as refused:
        SpeechStart.read(START | start)
    assert next(iter(start)) in refused.value.detail


def test_recognition_is_asked_for_what_was_given() -> None:
    given = START | {"sample_rate": 8_000, "interim": False, "asr_service_id": "asr"}
    assert SpeechStart.read(given).recognition() == {
        "type": "start", "language": "en", "sample_rate": 8_000, "interim": False,
        "service_id": "asr",
    }  # fmt: skip
