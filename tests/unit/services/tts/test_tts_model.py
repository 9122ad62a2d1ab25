import json
from typing import Any

import numpy as np
import pytest

from services.tts.exceptions import UnusableAudio
from services.tts.inference.tts import MODEL_RATE, TtsModel
from services.tts.models.voices import ModelVoice

PLAIN = ("INPUT_TEXT", "INPUT_SPEAKER_ID", "INPUT_LANGUAGE_ID")
VOICES = [
    {"name": "amy", "language": "en", "gender": "female"},
    {"name": "x", "language": "hi", "gender": "robot"},
]


class Triton:
    """Answers with what it was given."""

    def __init__(self, audio: Any = (0.0,), inputs: tuple[str, ...] = PLAIN, **given: str) -> None:
        self.outputs = {"OUTPUT_GENERATED_AUDIO"}
        self.given = given
        self.inputs = inputs
        self.audio = np.array(audio, np.float32)
        self.asked: dict[str, Any] = {}

    async def parameters(self, _: str) -> dict[str, str]:
        return self.given

    async def input_names(self, _: str) -> frozenset[str]:
        return frozenset(self.inputs)

    async def output_names(self, _: str) -> frozenset[str]:
        return frozenset(self.outputs)

    async def infer(self, _: str, inputs: dict[str, Any], output: str) -> Any:
        self.asked = inputs
        return self.audio if output != "AUDIO_PCM" else np.array([1, -2], np.int16)


async def test_a_model_that_says_nothing_of_itself() -> None:
    facts = await TtsModel(Triton()).describe("tts")
    assert (facts.languages, facts.sampling_rate, facts.named) == ((), MODEL_RATE, ())
    assert not facts.takes_speed
    assert not facts.takes_pitch
    assert facts.voices == ()


async def test_what_a_model_says_of_itself() -> None:
    triton = Triton(
        inputs=(*PLAIN, "SPEED", "PITCH"),
        languages="en, hi",
        sampling_rate="16000",
        voices=json.dumps(VOICES),
    )
    facts = await TtsModel(triton).describe("tts")
    assert facts.languages == ("en", "hi")
    assert facts.sampling_rate == 16_000
    assert facts.takes_speed
    assert facts.takes_pitch
    assert facts.voices == (ModelVoice("amy", "en", "female"), ModelVoice("x", "hi", ""))


async def test_languages_follow_from_voices() -> None:
    facts = await TtsModel(Triton(voices=json.dumps(VOICES))).describe("tts")
    assert facts.languages == ("en", "hi")


@pytest.mark.parametrize("listed", ["{", "[1]", '[{"name": "a"}]', '{"name": "a"}', "null"])
async def test_a_list_that_cannot_be_read_is_none(listed: str) -> None:
    facts = await TtsModel(Triton(voices=listed)).describe("tts")
    assert facts.named == ()


@pytest.mark.parametrize("rate", ["", "fast", "0", "-16000", "1000000", "²"])
async def test_a_rate_that_is_none_is_the_usual_one(rate: str) -> None:
    facts = await TtsModel(Triton(sampling_rate=rate)).describe("tts")
    assert facts.sampling_rate == MODEL_RATE


async def test_facts_are_read_once_for_a_configuration() -> None:
    triton = Triton(languages="en")
    model = TtsModel(triton)
    first = await model.describe("tts")
    assert await model.describe("tts") is first
    triton.given = {"languages": "en,hi"}
    changed = await model.describe("tts")
    assert changed.languages == ("en", "hi")
    assert changed.revision != first.revision


async def speak(triton: Triton, **how: Any) -> Any:
    given = {"language": "en", "speaker": "female", "words_per_minute": None, "pitch": None}
    return await TtsModel(triton).speak("tts", "Hello.", **(given | how))


async def test_only_what_is_wanted_is_asked_for() -> None:
    triton = Triton()
    await speak(triton)
    assert set(triton.asked) == set(PLAIN)
    await speak(triton, words_per_minute=210.0, pitch=1.5)
    assert (triton.asked["SPEED"].tolist(), triton.asked["PITCH"].tolist()) == ([210.0], [1.5])


async def test_sound_is_16_bits_without_wrapping() -> None:
    given = [0.0, 1 / 32768, -1.0, 1.0, 1.5, -1.5]
    part = await speak(Triton(audio=[given]))
    assert part.dtype == np.int16
    assert part.tolist() == [0, 1, -32768, 32767, 32767, -32768]


async def test_integers_are_taken_where_the_model_gives_them() -> None:
    triton = Triton()
    triton.outputs.add("AUDIO_PCM")
    assert (await speak(triton)).tolist() == [1, -2]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
async def test_samples_that_are_no_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(UnusableAudio):
        await speak(Triton(audio=[0.0, wrong]))
