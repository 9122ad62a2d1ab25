import asyncio
import base64
import hashlib

import pytest

from services.tts.services.speech import SpeechService
from shared.metrics import Metrics
from shared.problem import Unavailable
from tests.support.poll import eventually
from tests.unit.services.tts.narration_fakes import (
    CALLER,
    RATE,
    Model,
    Repository,
    broken,
    order,
)


async def test_a_stream_is_the_whole_in_parts(
    service: SpeechService, repository: Repository, metrics: Metrics
) -> None:
    text = "One sentence that is long enough. Another sentence that is long enough."
    whole = await service.speak(CALLER, order(text))
    async with service.stream(CALLER, order(text)) as stream:
        assert len(repository.saved) == 1
        parts = [part.content async for part in stream.parts]
    content = b"".join(parts)
    assert content == base64.b64decode(whole.items[0].content)
    assert len([part for part in parts if part]) > 1
    record, (item,) = repository.saved[1]
    assert record.id == stream.id
    assert record.duration_s == stream.duration_s == whole.items[0].duration_s
    assert item.sha256 == hashlib.sha256(content).hexdigest()
    assert metrics.registry.get_sample_value(
        "speechgate_tts_first_audio_seconds_count", {"format": "pcm"}
    ) == 1  # fmt: skip


@pytest.mark.parametrize(("live", "early"), [(True, True), (False, False)])
async def test_flac_leaves_early_for_listeners_only(
    service: SpeechService, model: Model, *, live: bool, early: bool
) -> None:
    text = " ".join(f"Sentence number {letter} is long enough." for letter in "abcdefghi")
    async with service.stream(CALLER, order(text, audio_format="flac", live=live)) as stream:
        begun = len(model.calls)
        content = b"".join([part.content async for part in stream.parts])
    assert (begun < 9) is early
    # The last 36 bits before the MD5 are the number of samples; 0 is "unknown" (RFC 9639, 8.2).
    total = int.from_bytes(content[18:26], "big") & ((1 << 36) - 1)
    assert total == pytest.approx(0 if early else stream.duration_s * RATE, abs=RATE / 1000)


async def test_a_stream_that_cannot_begin_is_an_error(
    service: SpeechService, model: Model, repository: Repository, metrics: Metrics
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    with pytest.raises(Unavailable):
        async with service.stream(CALLER, order("a")):
            pytest.fail("it began")
    assert repository.saved[0][0].error_code == "inference_unavailable"
    assert not broken(metrics, "inference_unavailable")


async def test_a_stream_that_breaks_is_recorded(
    service: SpeechService, model: Model, repository: Repository, metrics: Metrics
) -> None:
    model.error, model.fails_at = Unavailable("down", code="inference_unavailable"), "Three"
    text = "One sentence that is long enough to be alone. " * 2 + "Three sentences are too many."

    async def listen() -> None:
        async with service.stream(CALLER, order(text)) as stream:
            async for part in stream.parts:
                assert part.content

    with pytest.raises(Unavailable):
        await listen()
    assert [record.error_code for record, _ in repository.saved] == ["inference_unavailable"]
    assert broken(metrics, "inference_unavailable") == 1


async def test_leaving_a_stream_stops_the_work(
    service: SpeechService, model: Model, repository: Repository, metrics: Metrics
) -> None:
    text = " ".join(f"Sentence number {letter} is long enough." for letter in "abcdefghi")

    async def listen() -> None:
        async with service.stream(CALLER, order(text)) as stream:
            model.hold = asyncio.Event()
            async for _ in stream.parts:
                pass

    task = asyncio.create_task(listen())
    await eventually(lambda: model.holding > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert model.cancelled
    assert not model.busy
    assert [record.error_code for record, _ in repository.saved] == ["client_disconnected"]
    assert broken(metrics, "client_disconnected") == 1
    model.hold = None
    await service.speak(CALLER, order("a" * 2_000, "b" * 2_000))
