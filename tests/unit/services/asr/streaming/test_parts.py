"""The pure parts of a stream."""

import asyncio
import itertools
import struct
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from services.asr.streaming.arrivals import Arrivals
from services.asr.streaming.encodings import ENCODINGS
from services.asr.streaming.endpointer import Decision, Ended, Endpointer, Quiet, Rules, Started
from services.asr.streaming.endpointer import TooLong as Long
from services.asr.streaming.events import Ack, Event, Final, Partial
from services.asr.streaming.line import AudioLine
from services.asr.streaming.options import RATES, StreamOptions
from services.asr.streaming.outbox import Outbox
from services.asr.streaming.pace import Pace
from services.asr.streaming.precedence import Precedence
from shared.streams import StreamRefused

RULES = Rules(silence=22, longest=400)


def decisions(values: list[float], rules: Rules = RULES) -> list[Decision]:
    endpointer = Endpointer(rules)
    found = []
    for value in values:
        decision = endpointer.push(value)
        if decision is not None:
            found.append(decision)
            if not isinstance(decision, Started):
                break
    return found


def test_an_utterance_begins_before_its_speech_and_ends_behind_it() -> None:
    found = decisions([0.0] * 30 + [0.9] * 50 + [0.0] * 40)
    assert found == [Started(20 * 512), Ended(20 * 512, 80 * 512, 90 * 512)]


def test_short_silence_at_the_beginning_is_kept_and_a_pause_does_not_cut() -> None:
    values = [0.0] * 16 + [0.9] * 20 + [0.1] * 21 + [0.9] * 20 + [0.4] * 30 + [0.0] * 22
    assert decisions(values) == [Started(0), Ended(0, 107 * 512, 117 * 512)]


def test_a_click_is_not_speech() -> None:
    assert decisions([0.0] * 20 + [0.9] * 3 + [0.0] * 60) == []
    assert Endpointer(RULES).finish(0) is None


def test_long_silence_is_settled_but_for_its_end() -> None:
    assert decisions([0.0] * 200) == [Quiet((94 - 16) * 512)]


def test_an_endless_utterance_is_cut() -> None:
    found = decisions([0.9] * 1_000)
    assert found == [Started(0), Long(0, 400 * 512)]


@pytest.mark.parametrize(
    ("values", "total", "end"),
    [
        ([0.0] * 5 + [0.9] * 10, 15 * 512 - 100, Ended(0, 15 * 512 - 100, 15 * 512 - 100)),
        ([0.9] * 10 + [0.0] * 10, 20 * 512, Ended(0, 10 * 512, 20 * 512)),
        ([0.9] * 10 + [0.0] * 20, 30 * 512, Ended(0, 10 * 512, 20 * 512)),
        ([0.9] * 3, 3 * 512, None),
        ([0.0] * 10, 10 * 512, None),
    ],
)
def test_what_is_under_way_at_the_end(values: list[float], total: int, end: Ended | None) -> None:
    endpointer = Endpointer(RULES)
    for value in values:
        endpointer.push(value)
    assert endpointer.finish(total) == end


@pytest.mark.parametrize(("name", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_telephone_codes_are_those_of_libsndfile(name: str, subtype: str, tmp_path: object) -> None:
    codes = bytes(range(256))
    file = f"{tmp_path}/codes.raw"
    with open(file, "wb") as raw:  # noqa: PTH123 - the library wants a name
        raw.write(codes)
    expected, _ = soundfile.read(
        file, channels=1, samplerate=8_000, format="RAW", subtype=subtype, dtype="int16"
    )
    assert np.array_equal(ENCODINGS[name](codes), expected)


def test_floats_and_integers() -> None:
    found = ENCODINGS["pcm_f32le"](struct.pack("<4f", 0.0, 0.5, -2.0, 1.0))
    assert found.tolist() == [0, 16_384, -32_767, 32_767]
    assert ENCODINGS["pcm_s16le"](b"\x01\x00\xff\xff").tolist() == [1, -1]
    for name, data in (("pcm_s16le", b"\0"), ("pcm_f32le", b"\0\0\0")):
        with pytest.raises(StreamRefused, match="whole samples"):
            ENCODINGS[name](data)
    with pytest.raises(StreamRefused, match="finite"):
        ENCODINGS["pcm_f32le"](struct.pack("<f", float("inf")))


@pytest.mark.parametrize("rate", RATES)
def test_a_line_is_the_same_however_it_is_fed_and_resumed(rate: int) -> None:
    rng = np.random.default_rng(rate)
    audio = rng.normal(0, 3_000, rate).astype(np.int16)
    whole, pieces = AudioLine(rate, 0), AudioLine(rate, 0)
    whole.add(audio)
    for first in range(0, len(audio), 777):
        pieces.add(audio[first : first + 777])
    held = min(len(whole.pcm), len(pieces.pcm))
    assert held >= 14_000
    assert np.array_equal(whole.pcm[:held], pieces.pcm[:held])
    offset = whole.floor(9_999)
    assert 9_999 - offset < 640
    whole.settle(offset)
    assert whole.origin == offset
    assert whole.position % StreamOptions(rate=rate).step == 0
    resumed = AudioLine(rate, whole.position)
    resumed.add(audio[whole.position :])
    assert resumed.origin == whole.origin
    assert resumed.received == whole.received == len(audio)
    for line in (whole, resumed):
        line.finish()
    assert np.array_equal(whole.pcm, resumed.pcm)
    assert abs(len(whole.pcm) - (16_000 - offset)) <= 1


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_line_goes_on_after_it_was_finished(rate: int) -> None:
    line = AudioLine(rate, 0)
    line.finish()
    line.settle(0)
    line.add(np.ones(rate, np.int16))
    line.finish()
    line.settle(line.floor(len(line.pcm)))
    assert line.received - line.position < StreamOptions(rate=rate).step
    line.add(np.ones(100, np.int16))
    assert line.received == rate + 100


def partial(text: str) -> Partial:
    return Partial(text, 0.0, 1.0)


async def collected(outbox: Outbox) -> list[Event]:
    return [event async for event in outbox]


async def test_only_overtaken_partials_are_dropped() -> None:
    outbox = Outbox()
    final = Final("a", 0.0, 1.0, (), 1.0, 5)
    for event in (partial("a"), partial("b"), final, partial("c"), partial("d"), Ack(5)):
        outbox.put(event)
    outbox.close(Ack(6))
    outbox.put(Ack(7))
    assert await collected(outbox) == [final, partial("d"), Ack(5), Ack(6)]


async def test_a_reader_that_hangs_is_told_so() -> None:
    outbox = Outbox(limit=3)
    for position in range(3):
        outbox.put(Ack(position))
    outbox.put(partial("a"))
    with pytest.raises(StreamRefused, match="not read"):
        outbox.put(Ack(3))
    reading = asyncio.create_task(collected(outbox))
    outbox.close()
    assert len(await reading) == 4


def test_events_as_documents() -> None:
    document = Partial("a", 0.0, 1.0, arrived=5.0).document()
    assert document == {"type": "partial", "text": "a", "start": 0.0, "end": 1.0}


def ticking(*times: float) -> Callable[[], float]:
    return itertools.chain(times, itertools.repeat(times[-1])).__next__


def test_a_client_may_be_ahead_by_a_burst_and_then_only_so_fast() -> None:
    pace = Pace(2.0, 10.0, ticking(0.0, 0.0, 0.0, 1.0, 100.0))
    assert pace.take(10.0) == 0.0
    assert pace.take(4.0) == 2.0
    assert pace.take(0.0) == 1.0  # A second later.
    assert pace.take(10.0) == 0.0  # Never more than the burst is saved.


def test_arrivals_are_remembered_as_long_as_needed() -> None:
    arrivals = Arrivals(ticking(1.0, 2.0, 3.0, 9.0))
    for position in (100, 200, 300):
        arrivals.note(position)
    assert [arrivals.of(position) for position in (1, 100, 101, 300)] == [1.0, 1.0, 2.0, 3.0]
    arrivals.forget(250)
    assert arrivals.of(100) == 3.0
    assert arrivals.of(301) == 9.0


async def test_files_spare_an_instance_while_anybody_speaks() -> None:
    slots = asyncio.Semaphore(2)

    class Spared:
        async def __aenter__(self) -> None:
            await slots.acquire()

        async def __aexit__(self, *_: object) -> None:
            slots.release()

    def free() -> int:
        return slots._value

    precedence = Precedence(Spared)
    for begun in range(3):
        precedence.begin()
        await asyncio.sleep(0)
        assert free() == 1, begun
    for ended in range(3):
        assert free() == 1, ended
        precedence.end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert free() == 2


def test_options_name_what_is_wrong() -> None:
    for wrong, code in (
        ({"rate": 9_000}, "unsupported_sample_rate"),
        ({"encoding": "mp3"}, "unsupported_encoding"),
        ({"silence_ms": 100}, "invalid_start"),
        ({"resume_from": 5}, "invalid_resume"),
        ({"session_id": "a/b"}, "invalid_resume"),
        ({"session_id": "a", "resume_from": 440, "rate": 44_100}, "invalid_resume"),
    ):
        with pytest.raises(StreamRefused) as refused:
            StreamOptions(**wrong)  # type: ignore[arg-type]
        assert refused.value.code == code
    assert StreamOptions(session_id="a", resume_from=441, rate=44_100).step == 441
