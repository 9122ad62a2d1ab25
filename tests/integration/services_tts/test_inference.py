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
        if form is not OutputFormat.AAC  # Read by another library: see test_stream.py.
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
    of_tts = [entry for entry in answer["voices"] if entry["serviceId"] == "tts"]
    assert {"en", "hi", "ur", "es"} <= {entry["language"] for entry in of_tts}
    assert len({entry["id"] for entry in of_tts}) == len(of_tts) >= 60
    assert {entry["gender"] for entry in of_tts} == {"female", "male"}
    assert all(entry["name"] and entry["samplingRate"] == 22_050 for entry in of_tts)
    assert {"opus", "aac"} <= set(answer["audioFormats"])


def test_a_listed_voice_speaks_when_it_is_named(app: LiveApp) -> None:
    named = speak(app, "Hello.", voice="en-male", cache=False)["audio"][0]
    gendered = speak(app, "Hello.", gender="male", cache=False)["audio"][0]
    assert named["audioContent"] == gendered["audioContent"]


def test_words_have_times_where_asked_for(app: LiveApp) -> None:
    texts = ("One two three, four. Five!", "Six.")
    audios = speak(app, *texts, wordTimes=True)["audio"]
    assert [[word["word"] for word in audio["words"]] for audio in audios] == [
        ["One", "two", "three,", "four.", "Five!"],
        ["Six."],
    ]
    for audio in audios:
        edges = [edge for word in audio["words"] for edge in (word["start"], word["end"])]
        assert edges == sorted(edges)
        assert 0 <= edges[0] < edges[-1] <= audio["duration"]
    assert speak(app)["audio"][0]["words"] is None


def test_metrics_count_characters_and_seconds(app: LiveApp) -> None:
    speak(app, "Counted.", audioFormat="mp3")
    text = httpx.get(f"{app.url}/metrics").text
    assert 'speechgate_tts_characters_total{language="en"}' in text
    assert 'speechgate_tts_audio_seconds_total{format="mp3",language="en"}' in text
    assert "speechgate_tts_speed_ratio_count" in text


def test_a_part_is_made_once(app: LiveApp) -> None:
    def looked_up() -> dict[str, float]:
        lines = httpx.get(f"{app.url}/metrics").text.splitlines()
        name = "speechgate_tts_cache_lookups_total{"
        counts = (line.rsplit(" ", 1) for line in lines if line.startswith(name))
        return {found.split('"')[1]: float(count) for found, count in counts}

    text = f"This is spoken twice by {app.url.rsplit(':', 1)[1]}."
    before = looked_up()
    first, again = (speak(app, text)["audio"][0]["audioContent"] for _ in range(2))
    after = looked_up()
    assert first == again
    assert after["miss"] == before.get("miss", 0) + 1
    assert after["hit"] == before.get("hit", 0) + 1
    other = {"input": [{"source": text}], "config": body()["config"]}
    with app.client("tts:infer", tenant="another") as client:
        assert client.post(PATH, json=other).status_code == 200
        # What may not be tracked is neither taken from memory nor left there.
        untracked = other | {"controlConfig": {"dataTracking": False}}
        found = client.post(PATH, json=untracked).json()
    assert looked_up() == after | {"miss": after["miss"] + 1}
    with app.client("tts:read", tenant="another") as client:
        stored = client.get(f"/api/v1/tts/requests/{found['id']}").json()
    assert (stored["status"], stored["characters"]) == ("succeeded", len(text))
    assert stored["output"] == []


@pytest.mark.parametrize("wanted", [3.0, 8.0])
def test_audio_lasts_as_long_as_wanted(app: LiveApp, wanted: float) -> None:
    text = "This sentence is spoken as fast as it must be, and so is this one, for a film."
    with app.client("tts:infer") as client:
        inputs = [{"source": text, "audioDuration": wanted}, {"source": text}]
        answer = client.post(PATH, json=body() | {"input": inputs}).json()
        fitted, plain = (one["duration"] for one in answer["audio"])
        assert 3.5 < plain < 7.5
        assert fitted == pytest.approx(wanted, rel=0.1)
        streamed = {"input": inputs[:1], "config": body()["config"] | {"audioFormat": "pcm"}}
        content = client.post("/api/v1/tts/stream", json=streamed).content
        assert len(content) / 2 / 22_050 == pytest.approx(wanted, rel=0.1)
        for wrong in (0, -1, "3", 1201, None):
            refused = client.post(
                PATH, json=body() | {"input": [{"source": text, "audioDuration": wrong}]}
            )
            assert refused.status_code == (200 if wrong is None else 422)


def test_the_path_and_answer_of_ulca(app: LiveApp) -> None:
    with app.client("tts:infer") as client:
        answer = client.post("/services/inference/tts?serviceId=tts", json=body())
        refused = client.post("/services/inference/tts?serviceId=none", json=body())
    native = speak(app)
    assert answer.json() == {
        "taskType": "tts",
        "audio": [{"audioContent": native["audio"][0]["audioContent"], "audioUri": None}],
        "config": {
            "language": {"sourceLanguage": "en"},
            "audioFormat": "wav",
            "encoding": "base64",
            "samplingRate": 22_050,
        },
    }
    assert refused.status_code == 422
    assert refused.json()["detail"]["kind"] == "unknown_model"


def test_the_openapi_document_knows_the_body(app: LiveApp) -> None:
    with app.client() as client:
        document = client.get("/openapi.json").json()
    post = document["paths"][PATH]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"input", "config"}
    config = document["components"]["schemas"]["SpeechConfig"]["properties"]
    assert {"audioFormat", "samplingRate", "gender", "serviceId"} <= set(config)
