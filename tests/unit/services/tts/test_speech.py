import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tts.exceptions import (
    AudioTooLarge,
    UnsupportedAudioFormat,
    UnsupportedSamplingRate,
    UnusableAudio,
)
from services.tts.models.speech import SpeechOrder, SpeechRecord, SpokenItem, Voice
from services.tts.services.metrics import TtsMetrics
from services.tts.services.speech import SpeechLimits, SpeechService, choose_output
from shared.caller import Caller
from shared.metrics import Metrics
from shared.problem import RequestNotFound, Unavailable
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import EmptyText, TextTooLong, UnknownModel, UnsupportedLanguage

CALLER = Caller("tenant", "key", "request", "trace")
LIMITS = SpeechLimits(TextBounds(3, 2_000, 4_000), 50, 2, 5_000, 400_000)


class Model:
    """Speaks each character as ten samples of its code."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self.error: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.silent = False
        self.called = asyncio.Event()

    async def languages(self, _: str) -> list[str]:
        return ["en", "hi"]

    async def speak(self, model: str, text: str, **how: object) -> NDArray[np.float32]:
        self.calls.append({"model": model, "text": text, **how})
        self.called.set()
        if self.hold:
            await self.hold.wait()
        if self.error:
            raise self.error
        codes = [ord(character) / 1000 for character in text]
        return np.repeat(np.array([] if self.silent else codes, np.float32), 10)


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[SpeechRecord, Sequence[SpokenItem]]] = []

    async def add(self, _: Caller, record: SpeechRecord, items: Sequence[SpokenItem] = ()) -> None:
        self.saved.append((record, items))

    async def find(self, *_: str) -> None:
        return None


MODELS = {"default": "tts", "fast": "tts-fast"}


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
async def service(model: Model, repository: Repository) -> AsyncIterator[SpeechService]:
    with ThreadPoolExecutor(1) as workers:
        yield SpeechService(
            model,
            repository,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, Metrics("selector")),
            LIMITS,
            TtsMetrics(Metrics("tts")),
            workers,
        )


def order(*texts: str, **changes: object) -> SpeechOrder:
    members = {"voice": Voice("en", "female"), "audio_format": "pcm", "sampling_rate": 22_050}
    return SpeechOrder(texts=texts, **(members | changes))


async def test_an_order_is_spoken_stored_and_returned(
    service: SpeechService, repository: Repository
) -> None:
    speech = await service.speak(CALLER, order("Hello.", "You."))
    assert [item.text for item in speech.items] == ["Hello.", "You."]
    audio = base64.b64decode(speech.items[0].content)
    assert len(audio) == 2 * 10 * len("Hello.")
    assert speech.items[0].sha256 == hashlib.sha256(audio).hexdigest()
    assert speech.characters == 10
    assert set(speech.timings_ms) == {"prepare", "inference", "encode", "store", "total"}
    record, items = repository.saved[0]
    assert record.id == speech.id
    assert record.error_code is None
    assert list(items) == list(speech.items)


async def test_chunks_run_in_parallel_and_keep_their_order(
    service: SpeechService, model: Model
) -> None:
    sentences = [f"This is sentence number {number} of them." for number in range(9)]
    speech = await service.speak(CALLER, order(" ".join(sentences)))
    assert sorted(str(call["text"]) for call in model.calls) == sorted(sentences)
    assert speech.items[0].text == " ".join(sentences)


async def test_the_voice_reaches_the_model(service: SpeechService, model: Model) -> None:
    await service.speak(CALLER, order("a", service_id="fast"))
    await service.speak(CALLER, order("a", voice=Voice("en", "male", "en-us+f5", 1.5)))
    assert model.calls[0]["model"] == "tts-fast"
    assert model.calls[0]["speaker"] == "female"
    assert model.calls[0]["words_per_minute"] is None
    assert model.calls[1]["speaker"] == "en-us+f5"
    assert model.calls[1]["words_per_minute"] == 210


async def test_a_failed_inference_leaves_a_row(
    service: SpeechService, model: Model, repository: Repository
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    with pytest.raises(Unavailable):
        await service.speak(CALLER, order("a"))
    record, items = repository.saved[0]
    assert record.error_code == "inference_unavailable"
    assert record.duration_s is None
    assert not items


async def test_a_cancelled_request_leaves_a_row(
    service: SpeechService, model: Model, repository: Repository
) -> None:
    model.hold = asyncio.Event()
    task = asyncio.create_task(service.speak(CALLER, order("a")))
    await model.called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert repository.saved[0][0].error_code == "client_disconnected"


async def test_no_samples_are_an_error(
    service: SpeechService, model: Model, repository: Repository
) -> None:
    model.silent = True
    with pytest.raises(UnusableAudio):
        await service.speak(CALLER, order("a"))
    assert repository.saved[0][0].error_code == "model_output_invalid"


async def test_an_answer_has_a_bound(
    service: SpeechService, model: Model, repository: Repository
) -> None:
    with pytest.raises(AudioTooLarge):
        await service.speak(
            CALLER, order("word " * 390, "word " * 390, "never", sampling_rate=48_000)
        )
    assert repository.saved[0][0].error_code == "audio_too_large"
    assert "never" not in [call["text"] for call in model.calls]


async def test_more_than_the_process_takes_is_refused(service: SpeechService, model: Model) -> None:
    model.hold = asyncio.Event()
    task = asyncio.create_task(service.speak(CALLER, order(*["word " * 390] * 2)))
    await model.called.wait()
    with pytest.raises(Unavailable) as refused:
        await service.speak(CALLER, order("word " * 300))
    assert refused.value.code == "overloaded"
    model.hold.set()
    await task


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (order(), EmptyText),
        (order("a" * 2_001), TextTooLong),
        (order("a", service_id="slow"), UnknownModel),
        (order("a", voice=Voice("xx", "male")), UnsupportedLanguage),
        (order("a", audio_format="aac"), UnsupportedAudioFormat),
        (order("a", audio_format="opus"), UnsupportedSamplingRate),
    ],
)
async def test_wrong_orders(
    service: SpeechService, model: Model, wrong: SpeechOrder, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await service.speak(CALLER, wrong)
    assert not model.calls


async def test_an_absent_request(service: SpeechService) -> None:
    with pytest.raises(RequestNotFound):
        await service.stored(CALLER, "0" * 32)


@pytest.mark.parametrize(
    ("name", "rate", "chosen"),
    [("wav", None, 22_050), ("opus", None, 24_000), ("mp3", 8_000, 8_000), ("ogg", 9_999, 9_999)],
)
def test_output(name: str, rate: int | None, chosen: int) -> None:
    assert choose_output(name, rate).sampling_rate == chosen
