import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from services.tts.exceptions import PitchUnsupported, SpeedUnsupported, UnusableAudio
from services.tts.models.script import Mark, Pause, Say, Script
from services.tts.models.sound import Sound
from services.tts.models.speech import Voice
from services.tts.models.voices import ModelFacts
from services.tts.services.fitting import fit
from services.tts.services.metrics import TtsMetrics
from services.tts.services.narration import Narrator
from services.tts.services.part_cache import PartCache
from services.tts.services.parts import PartSource
from services.tts.services.run import Run
from shared.metrics import Metrics
from shared.problem import Unavailable
from tests.support.poll import eventually
from tests.unit.services.tts.narration_fakes import RATE, SAMPLES_A_CHARACTER, Model, run_of

PARALLEL = 3


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def source(model: Model) -> PartSource:
    return PartSource(model, PartCache(1 << 20, 60.0, TtsMetrics(Metrics("tts"))))


def says(*texts: str) -> Script:
    return tuple(Say(text, text) for text in texts)


async def spoken(source: PartSource, run: Run, script: Script) -> list[Sound]:
    return [sound async for sound in Narrator(source, PARALLEL).narrate(run, script)]


async def test_parts_come_in_order(model: Model, source: PartSource) -> None:
    texts = [letter * 40 for letter in "ABCDEFGHI"]
    sounds = [one.samples for one in await spoken(source, run_of(model), says(*texts))]
    heard = [samples for samples in sounds if samples.any()]
    # The ends of a part fade, its middle does not.
    middles = [float(samples[len(samples) // 2]) * 32_768 / 30 for samples in heard]
    assert [chr(round(value)) for value in middles] == list("ABCDEFGHI")
    assert sorted(model.texts()) == texts


async def test_the_first_part_is_made_alone_and_the_rest_within_a_bound(
    model: Model, source: PartSource
) -> None:
    model.hold = asyncio.Event()
    script = says(*(f"part {number}" for number in range(20)))
    async with aclosing(Narrator(source, PARALLEL).narrate(run_of(model), script)) as sounds:
        first = asyncio.ensure_future(anext(sounds))
        await model.called.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert model.texts() == ["part 0"]
        model.hold.set()
        await first
        for _ in range(20):
            await asyncio.sleep(0)
        # The beginning is on its way first.
        assert model.texts() == ["part 0"]
        await anext(sounds)
        for _ in range(100):
            await asyncio.sleep(0)
        # Nobody takes the sound: no more than the look-ahead is made.
        assert len(model.calls) == 1 + PARALLEL
        rest = [sound async for sound in sounds]
    assert len(model.calls) == 20
    assert model.busiest == PARALLEL
    assert len([one for one in rest if one.samples.any()]) == 19


async def test_the_beginning_of_a_part_comes_by_itself(model: Model, source: PartSource) -> None:
    text = "long part " * 100
    sounds = [one.samples for one in await spoken(source, run_of(model), says(text, "end"))]
    whole = len(text) * SAMPLES_A_CHARACTER
    assert [len(samples) for samples in sounds[:2]] == [round(RATE / 4), whole - round(RATE / 4)]


async def test_closing_stops_the_work(model: Model, source: PartSource) -> None:
    script = says(*(f"part {number}" for number in range(20)))
    async with aclosing(Narrator(source, PARALLEL).narrate(run_of(model), script)) as sounds:
        await anext(sounds)
        model.hold = asyncio.Event()
        await anext(sounds)
        pending = asyncio.ensure_future(anext(sounds))
        await eventually(lambda: model.holding == PARALLEL)
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
    assert len(model.calls) == 1 + PARALLEL
    assert model.cancelled == PARALLEL
    assert model.busy == 0


async def test_a_failure_comes_when_its_part_is_due(model: Model, source: PartSource) -> None:
    model.error, model.fails_at = Unavailable("down"), "part 2"
    script = says(*(f"part {number}" for number in range(9)))
    sounds = Narrator(source, PARALLEL).narrate(run_of(model), script)
    before = [await anext(sounds) for _ in range(4)]  # Two parts, a pause after each.
    assert len([one for one in before if one.samples.any()]) == 2
    with pytest.raises(Unavailable):
        await anext(sounds)
    assert model.busy == 0


async def test_marks_and_pauses_have_their_times(model: Model, source: PartSource) -> None:
    script = (Mark("begin"), Say("ab", "ab"), Mark("two"), Say("cd", "cd"), Pause(1.5), Mark("end"))
    sounds = await spoken(source, run_of(model), script)
    times = {mark.name: mark.time for sound in sounds for mark in sound.marks}
    part = 2 * SAMPLES_A_CHARACTER / RATE
    assert times == pytest.approx(
        {"begin": 0.0, "two": part + 0.2, "end": 2 * part + 1.7}, abs=1e-3
    )
    total = sum(len(sound.samples) for sound in sounds)
    assert total == pytest.approx((2 * part + 1.7) * RATE, abs=2)


async def test_words_are_told_where_asked_for(model: Model, source: PartSource) -> None:
    script = (Pause(1.0), Say("one two", "1 2"))
    run = run_of(model, word_times=True)
    words = [word for sound in await spoken(source, run, script) for word in sound.words]
    assert [word.word for word in words] == ["1", "2"]
    assert words[0].start >= 1.0
    assert not [one for one in await spoken(source, run_of(model), script) if one.words]


async def test_each_saying_has_its_own_voice(model: Model, source: PartSource) -> None:
    run = run_of(model, voice=Voice("en", "male", None, 1.5, 0.8))
    await spoken(source, run, (Say("a", "a"), Say("b", "b", language="hi", speed=1.2, pitch=1.5)))
    first, second = model.calls
    assert (first["language"], first["words_per_minute"], first["pitch"]) == ("en", 210.0, 0.8)
    assert (second["language"], second["speaker"]) == ("hi", "male")
    assert second["words_per_minute"] == pytest.approx(140 * 1.8)
    assert second["pitch"] == pytest.approx(1.2)


async def test_factors_stay_where_engines_can_speak(model: Model, source: PartSource) -> None:
    run = run_of(model, voice=Voice("en", "male", None, 3.0, 2.0))
    await spoken(source, run, (Say("a", "a", speed=3.0, pitch=2.0), Say("b", "b", speed=0.01)))
    assert model.calls[0]["words_per_minute"] == 420.0
    assert model.calls[0]["pitch"] == 2.0
    assert model.calls[1]["words_per_minute"] == pytest.approx(84.0)


async def test_a_model_that_cannot_is_not_asked(model: Model, source: PartSource) -> None:
    model.facts = ModelFacts(("en",), RATE, takes_speed=False, takes_pitch=False)
    with pytest.raises(SpeedUnsupported):
        await spoken(source, run_of(model), (Say("a", "a", speed=1.5),))
    with pytest.raises(PitchUnsupported):
        await spoken(source, run_of(model), (Say("a", "a", pitch=1.5),))
    assert not model.calls
    await spoken(source, run_of(model), says("a"))


async def test_no_samples_are_an_error(model: Model, source: PartSource) -> None:
    model.silent = True
    with pytest.raises(UnusableAudio):
        await spoken(source, run_of(model), says("a"))


async def test_a_part_is_made_once_for_what_sounds_the_same(
    model: Model, source: PartSource
) -> None:
    first = await spoken(source, run_of(model), says("same", "other"))
    again = await spoken(source, run_of(model), says("same", "other"))
    assert len(model.calls) == 2
    assert all(
        np.array_equal(one.samples, two.samples) for one, two in zip(first, again, strict=True)
    )
    await spoken(source, run_of(model, voice=Voice("en", "male")), says("same"))
    await spoken(source, run_of(model, cached=False), says("same"))
    assert len(model.calls) == 4


async def test_a_script_is_fitted_to_its_length(model: Model, source: PartSource) -> None:
    narrator, run = Narrator(source, PARALLEL), run_of(model)
    script = (*says("a" * 4_000, "b" * 4_000), Pause(0.5))
    spoken_s, silent_s = await narrator.length_s(run, script)
    assert spoken_s == 8_000 * SAMPLES_A_CHARACTER / RATE
    assert silent_s == 0.2 + 0.5
    # The fake's length does not depend on its speed: what is missing is silence.
    fitted = await fit(narrator, run, script, 5.0)
    assert sum(await narrator.length_s(run, fitted)) == pytest.approx(5.0)
    assert fitted[0].speed == pytest.approx(spoken_s / (5.0 - silent_s))  # type: ignore[union-attr]
    hurried = await fit(narrator, run, script, 0.1)
    assert len(hurried) == len(script)
    assert hurried[0].speed == 3.0  # type: ignore[union-attr]
