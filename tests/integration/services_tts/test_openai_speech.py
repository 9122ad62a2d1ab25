import base64
import json
from typing import Any

import httpx
import pytest

from shared.audio.encode import OutputFormat
from tests.integration.services_tts.test_stream import samples_of
from tests.support.live_app import LiveApp

PATH = "/v1/audio/speech"
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)


def body(**changes: Any) -> dict[str, Any]:
    return {"model": "tts-1", "input": "Good morning to you.", "voice": "alloy", **changes}


def speak(app: LiveApp, **changes: Any) -> httpx.Response:
    with app.client("tts:infer") as client:
        answer = client.post(PATH, json=body(**changes))
    assert answer.status_code == 200, answer.text
    return answer


def length_of(answer: httpx.Response) -> float:
    """Seconds of an answer in bare samples."""
    return len(answer.content) / 2 / 24_000


def test_the_default_is_mp3(app: LiveApp) -> None:
    answer = speak(app)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert len(samples_of(answer.content, OutputFormat.MP3)) > 24_000


def test_bare_samples_are_at_24_khz(app: LiveApp) -> None:
    answer = speak(app, response_format="pcm")
    assert answer.headers["content-type"] == "audio/pcm;rate=24000;channels=1"
    assert 0.8 < length_of(answer) < 3


def test_voices_have_openai_s_names_and_our_own(app: LiveApp) -> None:
    def sound(voice: Any) -> bytes:
        return speak(app, voice=voice, response_format="pcm").content

    alloy, onyx = sound("alloy"), sound("onyx")
    assert alloy != onyx
    assert sound({"id": "nova"}) == sound("female") == alloy
    assert sound("en-male") == sound({"id": "en-male"}) == onyx
    assert sound("en-us+f5") == alloy


def test_a_voice_brings_its_language(app: LiveApp) -> None:
    german = speak(app, voice="de-female", input="Guten Morgen.", response_format="pcm").content
    named = speak(
        app, voice="alloy", language="de", input="Guten Morgen.", response_format="pcm"
    ).content
    english = speak(app, voice="alloy", input="Guten Morgen.", response_format="pcm").content
    assert german == named != english


def test_speed_is_heard_and_bounded(app: LiveApp) -> None:
    plain, fast = (speak(app, response_format="pcm", speed=speed) for speed in (1.0, 2.0))
    assert "x-speech-speed" not in fast.headers
    assert length_of(fast) < 0.75 * length_of(plain)
    slowest = speak(app, response_format="pcm", speed=0.25)
    assert slowest.headers["x-speech-speed"] == "0.6"
    assert length_of(slowest) > 1.2 * length_of(plain)
    assert speak(app, speed=4.0).headers["x-speech-speed"] == "3"


def test_instructions_are_said_to_be_ignored(app: LiveApp) -> None:
    plain = speak(app, response_format="pcm")
    instructed = speak(app, response_format="pcm", instructions="Whisper.")
    assert instructed.headers["x-speech-ignored"] == "instructions"
    assert instructed.content == plain.content
    assert "x-speech-ignored" not in plain.headers


def test_events(app: LiveApp) -> None:
    answer = speak(app, stream_format="sse", response_format="pcm")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line]
    *deltas, done = found
    assert {delta["type"] for delta in deltas} == {"speech.audio.delta"}
    audio = b"".join(base64.b64decode(delta["audio"]) for delta in deltas)
    assert audio == speak(app, response_format="pcm").content
    usage = done["usage"]
    assert done["type"] == "speech.audio.done"
    assert usage["input_tokens"] == len(body()["input"])
    assert usage["output_tokens"] == round(len(audio) / 2 / 24_000)
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "param"),
    [
        ({"input": "a" * 4097}, 400, "string_above_max_length", "input"),
        ({"input": " "}, 400, "empty_text", "input"),
        ({"model": "tts-9"}, 404, "model_not_found", "model"),
        ({"voice": "en-us+nobody"}, 400, "unknown_speaker", None),
        ({"voice": {"id": "a", "name": "b"}}, 400, "validation_failed", "voice"),
        ({"voice": 7}, 400, "validation_failed", "voice"),
        ({"response_format": "midi"}, 400, "validation_failed", "response_format"),
        ({"stream_format": "video"}, 400, "validation_failed", "stream_format"),
        ({"speed": 0.2}, 400, "validation_failed", "speed"),
        ({"speed": 4.1}, 400, "validation_failed", "speed"),
        ({"language": "xx"}, 400, "unsupported_language", "language"),
        ({"input": None}, 400, "validation_failed", "input"),
    ],
)
def test_errors_have_openai_s_shape(
    app: LiveApp, changes: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    with app.client("tts:infer") as client:
        answer = client.post(PATH, json=body(**changes))
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert error["type"] == "invalid_request_error"
    assert "aaaa" not in error["message"]


def test_markup_is_text_here(app: LiveApp) -> None:
    plain = speak(app, input="hello", response_format="pcm")
    assert length_of(speak(app, input="<speak>hello</speak>", response_format="pcm")) > length_of(
        plain
    )
