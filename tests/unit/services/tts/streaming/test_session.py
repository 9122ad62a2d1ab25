import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from services.tts.models.speech import SpeechOrder, Voice
from services.tts.services.metrics import TtsMetrics
from services.tts.services.narration import Narrator
from services.tts.services.part_cache import PartCache
from services.tts.services.parts import PartSource
from services.tts.services.runs import Engine, Runs, SpeechLimits
from services.tts.services.writing import ScriptWriter, no_lexicon
from services.tts.streaming.events import Audio, Done, Event, Failed, Flushed, Ready
from services.tts.streaming.limits import LiveLimits
from services.tts.streaming.monitor import LiveMonitor
from services.tts.streaming.service import LiveService
from services.tts.streaming.session import LiveSession
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.serving import ModelSelector
from shared.streams import StreamPlaces, StreamRefused, slow_reader
from shared.text.bounds import TextBounds
from shared.text.problems import TextTooLong, UnknownModel
from tests.support.poll import eventually
from tests.unit.services.tts.narration_fakes import CALLER, RATE, Model, Repository

MODELS = {"default": "tts"}
LIMITS = LiveLimits(
    characters=10_000, longest_s=60.0, idle_s=60.0, start_s=1.0, slow_s=1.0, drain_s=1.0
)
ORDER = SpeechOrder(texts=(), voice=Voice("en", "female"), audio_format="pcm", markup=False)


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("tts")


@pytest.fixture
async def runs(model: Model, repository: Repository, metrics: Metrics) -> AsyncIterator[Runs]:
    counted = TtsMetrics(metrics)
    with ThreadPoolExecutor(1) as workers:
        engine = Engine(
            model,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, metrics),
            ScriptWriter(50, workers, no_lexicon),
            Narrator(PartSource(model, PartCache(0, 60.0, counted)), 2),
            workers,
            "en",
        )
        yield Runs(engine, repository, SpeechLimits(TextBounds(3, 2_000, 4_000), 5_000, 1), counted)


def service_of(runs: Runs, limits: LiveLimits = LIMITS) -> LiveService:
    return LiveService(runs, StreamPlaces(2, 2), limits, LiveMonitor(Metrics("tts")))


async def told(session: LiveSession) -> list[Event]:
    return [event async for event in session.outbox]


def audio_of(events: list[Event]) -> bytes:
    return b"".join(event.content for event in events if isinstance(event, Audio))


async def test_pieces_of_text_become_one_file(
    runs: Runs, model: Model, repository: Repository
) -> None:
    session = service_of(runs).open(replace(ORDER, word_times=True), CALLER)
    first, second = "Hello there to all of you here.", "And how are all of you today?"
    for piece in (first[:3], first[3:9], first[9:] + " And ", second[4:]):
        await session.inbox.feed(piece)
    await session.inbox.flush()
    await session.inbox.feed("Fine.")
    session.inbox.stop()
    events = await told(session)
    assert isinstance(events[0], Ready)
    assert events[0].media_type == "audio/pcm;rate=22050;channels=1"
    assert model.texts() == [first, second, "Fine."]
    flushed = next(event for event in events if isinstance(event, Flushed))
    done = events[-1]
    assert isinstance(done, Done)
    content = audio_of(events)
    assert 0 < flushed.duration < done.duration == pytest.approx(len(content) / 2 / RATE, abs=1e-3)
    words = [word for event in events if isinstance(event, Audio) for word in event.words]
    assert [word.word for word in words] == [*first.split(), *second.split(), "Fine."]
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    record, (item,) = repository.saved[0]
    assert (record.id, record.error_code, record.item_count) == (events[0].id, None, 1)
    assert record.characters == done.usage["characters"] == len(f"{first} {second}Fine.")
    assert item.text == f"{first} {second} Fine."
    assert (item.size, item.sha256) == (len(content), hashlib.sha256(content).hexdigest())


async def test_joints_have_no_clicks(runs: Runs) -> None:
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("zzzzzzzzzzzzzzzzzzzzz. ")
    await session.inbox.flush()
    await session.inbox.feed("zzzzzzzzzzzzzzzzzzzzz.")
    session.inbox.stop()
    samples = np.frombuffer(audio_of(await told(session)), "<i2").astype(int)
    # The fakes' sound is a step: only the very first sample is one here.
    assert np.abs(np.diff(samples)).max() < np.abs(samples).max() / 2


async def test_each_passage_is_a_file_of_its_own(runs: Runs) -> None:
    order = replace(ORDER, audio_format="wav")
    session = service_of(runs).open(order, CALLER, apart=True)
    await session.inbox.feed("One is said before all others. Two is said when one was said.")
    await session.inbox.flush()
    await session.inbox.flush()
    session.inbox.stop()
    ready, one, two, empty, done = await told(session)
    assert isinstance(one, Audio)
    assert isinstance(two, Audio)
    assert (one.final, two.final) == (False, True)
    for file in (one, two):
        assert file.content[:4] == b"RIFF"
        with soundfile.SoundFile(io.BytesIO(file.content)) as sound:
            assert sound.frames / RATE == pytest.approx(file.seconds, abs=1e-3)
    assert isinstance(ready, Ready)
    assert isinstance(empty, Flushed)
    assert isinstance(done, Done)
    assert done.duration == pytest.approx(one.seconds + two.seconds, abs=2e-3)


async def test_a_whole_sentence_does_not_wait_for_the_next(runs: Runs, model: Model) -> None:
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("Nothing follows.")
    await eventually(lambda: bool(model.calls))
    await session.close()


async def test_what_cannot_be_spoken_is_passed_over(runs: Runs, repository: Repository) -> None:
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("... ")
    await session.inbox.flush()
    session.inbox.stop()
    events = await told(session)
    assert [type(event) for event in events] == [Ready, Flushed, Done]
    assert repository.saved[0][0].duration_s == 0


async def test_nobody_takes_so_little_is_made(runs: Runs, model: Model) -> None:
    session = service_of(runs).open(ORDER, CALLER)
    text = " ".join(f"This is sentence number {number} of many." for number in range(40))
    feeding = asyncio.create_task(session.inbox.feed(text))
    await eventually(lambda: len(model.calls) > 1)
    for _ in range(200):
        await asyncio.sleep(0.001)
    assert len(model.calls) < 12
    feeding.cancel()
    await session.close()


async def test_who_sends_too_fast_waits(runs: Runs, model: Model) -> None:
    model.hold = asyncio.Event()
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("Begin. Go on")
    await model.called.wait()
    for _ in range(2):
        await session.inbox.feed("a" * 2_000)
    late = asyncio.create_task(session.inbox.feed("b"))
    await asyncio.sleep(0.02)
    assert not late.done()
    await session.close()
    await late


async def test_leaving_stops_the_work(runs: Runs, model: Model, repository: Repository) -> None:
    service = service_of(runs)
    model.hold = asyncio.Event()
    session = service.open(ORDER, CALLER)
    await session.inbox.feed("Nobody hears this. And this.")
    await model.called.wait()
    await session.close()
    assert (model.cancelled, model.busy) == (1, 0)
    assert [record.error_code for record, _ in repository.saved] == ["client_disconnected"]
    for _ in range(2):  # Its place is free again, also that of one that leaves at once.
        await service.open(ORDER, CALLER).close()
    await service.close()


async def test_an_error_from_outside_is_told_and_stored(
    runs: Runs, model: Model, repository: Repository
) -> None:
    model.hold = asyncio.Event()
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("Nobody reads this. No.")
    await model.called.wait()
    session.fail(slow_reader())
    events = await told(session)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "slow_reader"
    assert session.close_code == 1008
    assert [record.error_code for record, _ in repository.saved] == ["slow_reader"]
    assert model.busy == 0


async def test_a_failure_of_the_model_is_told(
    runs: Runs, model: Model, repository: Repository
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    session = service_of(runs).open(ORDER, CALLER)
    await session.inbox.feed("Hello. You.")
    session.inbox.stop()
    events = await told(session)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "inference_unavailable"
    assert session.close_code == 1013
    assert repository.saved[0][0].error_code == "inference_unavailable"


@pytest.mark.parametrize(
    ("change", "code", "close"),
    [
        ({"idle_s": 0.02}, "idle_timeout", 1001),
        ({"longest_s": 0.02}, "stream_too_long", 1008),
    ],
)
async def test_time_is_bounded(
    runs: Runs, repository: Repository, change: dict[str, float], code: str, close: int
) -> None:
    limits = replace(LIMITS, **change)  # type: ignore[arg-type] # by name
    session = service_of(runs, limits).open(ORDER, CALLER)
    events = await told(session)
    assert isinstance(events[-1], Failed)
    assert (events[-1].code, session.close_code) == (code, close)
    assert repository.saved[0][0].error_code == code


async def test_text_is_bounded(runs: Runs) -> None:
    session = service_of(runs, replace(LIMITS, characters=3_000)).open(ORDER, CALLER)
    with pytest.raises(TextTooLong):
        await session.inbox.feed("a" * 2_001)
    await session.inbox.feed("a" * 2_000)
    with pytest.raises(StreamRefused) as refused:
        await session.inbox.feed("a" * 1_001)
    assert refused.value.code == "stream_too_long"
    await session.close()


async def test_more_than_the_process_takes_is_refused(runs: Runs) -> None:
    service = service_of(runs)
    sessions = [service.open(ORDER, CALLER) for _ in range(2)]
    with pytest.raises(StreamRefused) as refused:
        service.open(ORDER, CALLER)
    assert refused.value.code == "too_many_streams"
    await sessions[0].close()
    sessions.append(service.open(ORDER, CALLER))
    await service.close()
    for session in sessions:
        assert not audio_of(await told(session))


async def test_the_end_of_the_process_lets_be_heard_what_came(runs: Runs) -> None:
    service = service_of(runs)
    session = service.open(ORDER, CALLER)
    listening = asyncio.create_task(told(session))
    await session.inbox.feed("This was sent in time")
    await service.drain()
    events = await listening
    assert audio_of(events)
    assert isinstance(events[-1], Failed)
    assert (events[-1].code, session.close_code) == ("shutting_down", 1012)
    with pytest.raises(StreamRefused):
        service.open(ORDER, CALLER)


async def test_the_end_of_the_process_does_not_wait_for_ever(runs: Runs, model: Model) -> None:
    model.hold = asyncio.Event()
    service = service_of(runs, replace(LIMITS, drain_s=0.05))
    session = service.open(ORDER, CALLER)
    await session.inbox.feed("This takes long. Very.")
    await model.called.wait()
    await service.drain()
    assert session.close_code == 1012
    assert model.busy == 0
