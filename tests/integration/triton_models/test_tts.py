"""The tts model on the real server."""

import asyncio
import json
from typing import Any

import jiwer
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

SENTENCE = "He might even have been made amiable himself."


async def speak(client: Any, text: str, language: str = "en", **more: Any) -> NDArray[np.float32]:
    more.setdefault("INPUT_SPEAKER_ID", "female")
    audio: NDArray[np.float32] = await client.infer(
        "tts", INPUT_TEXT=text, INPUT_LANGUAGE_ID=language, **more
    )
    assert audio.dtype == np.float32
    assert np.abs(audio).max() <= 1
    return audio


async def test_speech_is_audible_and_read_back(client: Any) -> None:
    text = "I would like to buy two tickets to London."
    audio = await speak(client, text)
    assert 2 < audio.size / 22_050 < 6
    assert np.std(audio) > 0.02
    pcm = (soxr.resample(audio, 22_050, 16_000) * 32767).astype(np.int16)
    heard = json.loads((await client.infer("asr", AUDIO_PCM=pcm, LANG_ID="en"))[0])["text"]
    assert jiwer.wer(text.lower().rstrip("."), heard) <= 0.5, heard


async def test_voices_languages_and_speeds_differ(client: Any) -> None:
    texts = {"hi": "नमस्ते दुनिया", "es": "hola mundo", "ta": "வணக்கம்", "en-GB": "hello world"}
    for language, text in texts.items():
        assert (await speak(client, text, language)).size > 8000
    female, male = [await speak(client, SENTENCE, INPUT_SPEAKER_ID=s) for s in ("female", "male")]
    assert not np.array_equal(female, male)
    named = await speak(client, SENTENCE, INPUT_SPEAKER_ID="en-us+f5")
    assert np.array_equal(female, named)
    fast = await speak(client, SENTENCE, SPEED=280.0)
    assert fast.size < 0.7 * female.size


async def test_the_served_languages_are_those_of_the_configuration(client: Any) -> None:
    config = (await client.grpc.get_model_config("tts", as_json=True))["config"]
    for language in config["parameters"]["languages"]["string_value"].split(","):
        assert (await speak(client, "1 2 3", language)).size > 0


@pytest.mark.parametrize(
    "text",
    [
        "-f /etc/passwd",
        "--help",
        '<audio src="/etc/passwd"/>',
        "hello\x0150P world",
        "[[h@loU]]",
        "line\nline\r\n\ttab",
        "😀",
        "…",
        "क" * 100,
    ],
)
async def test_odd_texts_are_only_spoken(client: Any, text: str) -> None:
    assert (await speak(client, text)).size > 0


async def test_markup_is_read_out_not_obeyed(client: Any) -> None:
    slow = await speak(client, '<prosody rate="10%">hello world</prosody>')
    assert slow.size / 22_050 < 8  # obeyed, two words would take ten times their length


async def test_phoneme_names_are_not_obeyed(client: Any) -> None:
    named = await speak(client, "[[h@loU w3:ld]]")
    assert not np.array_equal(named, await speak(client, "hello world"))


async def test_the_longest_text(client: Any) -> None:
    audio = await speak(client, "a " * 2500)
    assert audio.size / 22_050 > 60


async def test_two_at_once(client: Any) -> None:
    one, two = await asyncio.gather(speak(client, "one"), speak(client, SENTENCE))
    assert np.array_equal(one, await speak(client, "one"))
    assert np.array_equal(two, await speak(client, SENTENCE))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"INPUT_TEXT": ""}, "empty_text:"),
        ({"INPUT_TEXT": " \n"}, "empty_text:"),
        ({"INPUT_TEXT": "a\0b"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xff\xfe"}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long:"),
        ({"INPUT_TEXT": "a" * 3_000_000}, "text_too_long:"),
        ({"INPUT_LANGUAGE_ID": "xx"}, "unsupported_language: en,"),
        ({"INPUT_LANGUAGE_ID": "en;id"}, "unsupported_language: en,"),
        ({"INPUT_LANGUAGE_ID": "en\n"}, "unsupported_language: en,"),
        ({"INPUT_SPEAKER_ID": "-f /etc/passwd"}, "unknown_speaker:"),
        ({"INPUT_SPEAKER_ID": "es+f5"}, "unknown_speaker:"),
        ({"INPUT_SPEAKER_ID": ""}, "unknown_speaker:"),
        ({"SPEED": 10_000.0}, "invalid_parameter: SPEED"),
        ({"SPEED": float("nan")}, "invalid_parameter: SPEED"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    request = {"INPUT_TEXT": "hi", "INPUT_SPEAKER_ID": "male", "INPUT_LANGUAGE_ID": "en", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("tts", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
