import asyncio
import base64
import hashlib

import pytest

from services.tts.exceptions import (
    AudioTooLarge,
    UnsupportedAudioFormat,
    UnsupportedSamplingRate,
    UnusableAudio,
)
from services.tts.models.speech import SpeechOrder, Voice
from services.tts.models.voices import ModelFacts
from services.tts.schemas.speech import SpeechAnswer, SpeechConfig, SpeechLanguage
from services.tts.services.speech import SpeechService
from shared.problem import RequestNotFound, Unavailable
from shared.text.problems import EmptyText, TextTooLong, UnknownModel, UnsupportedLanguage
from tests.unit.services.tts.narration_fakes import (
    CALLER,
    SAMPLES_A_CHARACTER,
    Model,
    Repository,
    order,
)


async def test_an_order_is_spoken_stored_and_returned(
    service: SpeechService, repository: Repository
) -> None:
    speech = await service.speak(CALLER, order("Hello.", "You."))
    assert [item.text for item in speech.items] == ["Hello.", "You."]
    audio = base64.b64decode(speech.items[0].content)
    assert len(audio) == 2 * SAMPLES_A_CHARACTER * len("Hello.")
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
    sentences = [f"This is sentence number {letter} of them." for letter in "abcdefghi"]
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


async def test_what_is_too_large_is_not_made_to_its_end(
    service: SpeechService, model: Model
) -> None:
    text = " ".join(f"word{number}" for number in range(200))
    await service.speak(CALLER, order(text, sampling_rate=8_000, cached=False))
    parts = len(model.calls)
    with pytest.raises(AudioTooLarge):
        await service.speak(CALLER, order(text, sampling_rate=48_000, cached=False))
    assert len(model.calls) - parts < parts


async def test_the_answer_tells_the_gender_that_spoke(service: SpeechService) -> None:
    speech = await service.speak(CALLER, order("a", voice=Voice("en", "female", "en-male")))
    config = SpeechConfig(language=SpeechLanguage(sourceLanguage="en"), voice="en-male")
    assert SpeechAnswer.of(speech, config).config.gender == "male"


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
        (order("a", audio_format="midi"), UnsupportedAudioFormat),
        (order("a", audio_format="opus"), UnsupportedSamplingRate),
    ],
)
async def test_wrong_orders(
    service: SpeechService, model: Model, wrong: SpeechOrder, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await service.speak(CALLER, wrong)
    assert not model.calls


async def test_what_may_not_be_kept_is_not(
    service: SpeechService, model: Model, repository: Repository
) -> None:
    secret = order("My number is secret.", kept=False, cached=False)
    await service.speak(CALLER, secret)
    await service.speak(CALLER, secret)
    assert [len(items) for _, items in repository.saved] == [0, 0]
    assert len(model.calls) == 2


async def test_the_model_decides_the_rate_and_the_voices(
    service: SpeechService, model: Model
) -> None:
    model.facts = ModelFacts(("en",), 16_000)
    speech = await service.speak(CALLER, order("a", sampling_rate=None))
    assert speech.output.sampling_rate == 16_000
    voices = await service.voices()
    assert [(one.service_id, one.voice.id, one.sampling_rate) for one in voices] == [
        ("default", "en-female", 16_000),
        ("default", "en-male", 16_000),
        ("fast", "en-female", 16_000),
        ("fast", "en-male", 16_000),
    ]


async def test_an_absent_request(service: SpeechService) -> None:
    with pytest.raises(RequestNotFound):
        await service.stored(CALLER, "0" * 32)
