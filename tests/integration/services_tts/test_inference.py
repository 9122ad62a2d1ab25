# ruff: noqa: RUF001 - other scripts are spoken here
import base64
import hashlib
import io
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from shared.audio.encode import CODECS, OutputFormat, holds_rate
from tests.support.live_app import LiveApp

PATH = "/api/v1/tts/inference"
TEXT = "Good morning. It costs $3.50, Mr. Smith!"


def body(*texts: str, language: str = "en", **config: Any) -> dict[str, Any]:
    return {
        "input": [{"source": text} for text in texts or (TEXT,)],
        "config": {"language": {"sourceLanguage": language}, "gender": "female", **config},
    }


def speak(app: LiveApp, *texts: str, **config: Any) -> dict[str, Any]:
    with app.client("tts:infer") as client:
        response = client.post(PATH, json=body(*texts, **config))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_the_answer_has_the_members_of_ulca_and_ours(app: LiveApp) -> None:
    answer = speak(app)
    assert set(answer) == {"id", "taskType", "audio", "config", "usage", "timings"}
    assert answer["taskType"] == "tts"
    assert answer["config"] == {
        "language": {"sourceLanguage": "en"},
        "audioFormat": "wav",
        "encoding": "base64",
        "samplingRate": 22_050,
        "gender": "female",
    }
    assert answer["usage"] == {"characters": len(TEXT)}
    audio = answer["audio"][0]
    assert audio["audioUri"] is None
    sound = soundfile.info(io.BytesIO(base64.b64decode(audio["audioContent"])))
    assert (sound.format, sound.subtype, sound.channels) == ("WAV", "PCM_16", 1)
    assert sound.samplerate == 22_050
    assert sound.duration == pytest.approx(audio["duration"], abs=0.001)
    assert 2 < sound.duration < 8
    timings = answer["timings"]
    assert timings["total"] >= timings["inference"] > 0


@pytest.mark.parametrize(
    ("form", "rate"),
    [
        (form, rate)
        for form in OutputFormat
        for rate in (8_000, 16_000, 22_050, 44_100, 48_000)
        if holds_rate(form, rate)
    ],
)
def test_every_format_at_several_rates(app: LiveApp, form: OutputFormat, rate: int) -> None:
    answer = speak(app, "Hello there.", audioFormat=form.value, samplingRate=rate)
    assert answer["config"]["audioFormat"] == form.value
    assert answer["config"]["samplingRate"] == rate
    data = base64.b64decode(answer["audio"][0]["audioContent"])
    duration = answer["audio"][0]["duration"]
    if form is OutputFormat.PCM:
        samples = np.frombuffer(data, "<i2") / 32768
    else:
        found = soundfile.info(io.BytesIO(data))
        assert (found.format, found.subtype) == (CODECS[form].container, CODECS[form].subtype)
        assert found.channels == 1
        samples, decoded_rate = soundfile.read(io.BytesIO(data))
        assert decoded_rate == rate
    # MP3 pads its first and last frames.
    assert len(samples) / rate == pytest.approx(duration, abs=0.11)
    assert np.abs(samples).max() > 0.1


def test_opus_has_a_rate_of_its_own(app: LiveApp) -> None:
    assert speak(app, "Hi.", audioFormat="opus")["config"]["samplingRate"] == 24_000


def test_one_audio_for_each_text_in_order(app: LiveApp) -> None:
    texts = ["One.", "This one is a good deal longer than the first one.", "One."]
    durations = [audio["duration"] for audio in speak(app, *texts)["audio"]]
    assert durations[0] == durations[2] < durations[1]


def test_a_long_text_is_joined_from_its_chunks(app: LiveApp) -> None:
    sentence = "The quick brown fox jumps over the lazy dog near the river bank. "
    one = speak(app, sentence)["audio"][0]["duration"]
    many = speak(app, sentence * 12)["audio"][0]
    assert many["duration"] == pytest.approx(12 * one, rel=0.2)
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(many["audioContent"])))
    assert np.abs(np.diff(samples)).max() < 0.9


@pytest.mark.parametrize(
    ("language", "text"),
    [("hi", "नमस्ते। आप कैसे हैं?"), ("ur", "یہ ٹھیک ہے۔"), ("en-GB", "Hello."), ("es", "¿Qué tal?")],
)
def test_other_languages(app: LiveApp, language: str, text: str) -> None:
    assert speak(app, text, language=language)["audio"][0]["duration"] > 0.3


def test_voices_and_speed_are_heard(app: LiveApp) -> None:
    plain = speak(app)["audio"][0]
    male = speak(app, gender="male")["audio"][0]
    named = speak(app, voice="en-us+f5")["audio"][0]
    fast = speak(app, speed=2.0)["audio"][0]
    assert male["audioContent"] != plain["audioContent"]
    assert named["audioContent"] == plain["audioContent"]
    assert fast["duration"] < 0.75 * plain["duration"]


def test_markup_is_spoken_and_opens_no_file(app: LiveApp) -> None:
    plain = speak(app, "hello")["audio"][0]["duration"]
    markup = speak(app, 'hello <audio src="/etc/hostname"/> [[fO:]]')["audio"][0]["duration"]
    assert markup > plain + 1


def test_a_request_is_stored_for_its_tenant_only(app: LiveApp) -> None:
    answer = speak(app, "Stored words.", audioFormat="flac")
    path = f"/api/v1/tts/requests/{answer['id']}"
    with app.client("tts:read") as client:
        stored = client.get(path)
    assert stored.status_code == 200
    document = stored.json()
    audio = base64.b64decode(answer["audio"][0]["audioContent"])
    assert document["status"] == "succeeded"
    assert document["errorCode"] is None
    assert document["characters"] == len("Stored words.")
    assert document["config"] == answer["config"]
    assert document["output"] == [
        {
            "source": "Stored words.",
            "duration": answer["audio"][0]["duration"],
            "size": len(audio),
            "sha256": hashlib.sha256(audio).hexdigest(),
        }
    ]
    with app.client("tts:read", tenant="another") as client:
        foreign = client.get(path)
        absent = client.get(f"/api/v1/tts/requests/{'0' * 32}")
    assert foreign.status_code == absent.status_code == 404
    same = ("code", "detail", "title", "type")
    assert [foreign.json()[key] for key in same] == [absent.json()[key] for key in same]


def test_voices_come_from_the_model(app: LiveApp) -> None:
    with app.client("tts:infer") as client:
        answer = client.get("/api/v1/tts/voices").json()
    served = {entry["language"] for entry in answer["voices"] if entry["serviceId"] == "tts"}
    assert {"en", "hi", "ur", "es"} <= served
    assert all(entry["genders"] == ["female", "male"] for entry in answer["voices"])
    assert answer["samplingRate"] == 22_050
    assert "opus" in answer["audioFormats"]


def test_metrics_count_characters_and_seconds(app: LiveApp) -> None:
    speak(app, "Counted.", audioFormat="mp3")
    text = httpx.get(f"{app.url}/metrics").text
    assert 'speechgate_tts_characters_total{language="en"}' in text
    assert 'speechgate_tts_audio_seconds_total{format="mp3",language="en"}' in text
    assert "speechgate_tts_speed_ratio_count" in text


def test_the_openapi_document_knows_the_body(app: LiveApp) -> None:
    with app.client() as client:
        document = client.get("/openapi.json").json()
    post = document["paths"][PATH]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"input", "config"}
    config = document["components"]["schemas"]["SpeechConfig"]["properties"]
    assert {"audioFormat", "samplingRate", "gender", "serviceId"} <= set(config)
