"""The OpenAI dialect of the service: forms, formats, streams, models, refusals."""

import io
import json
from typing import Any

import httpx
import pytest
import srt
import webvtt

TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/transcriptions", "/v1/audio/translations"
VERBOSE = {"response_format": "verbose_json"}


@pytest.fixture(scope="module")
def native(service: Any, short: bytes) -> dict[str, Any]:
    found: dict[str, Any] = service.infer(short).json()["output"][0]
    return found


def send(service: Any, content: bytes, path: str = TRANSCRIPTIONS, **fields: Any) -> httpx.Response:
    answer: httpx.Response = service.client.post(
        path,
        files={"file": ("speech.wav", content)},
        data={"model": "whisper-1", **fields},
    )
    return answer


def error_of(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = document["error"]
    return found


def test_json(service: Any, short: bytes, native: dict[str, Any]) -> None:
    answer = send(service, short)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "text": native["source"],
        "usage": {"type": "duration", "seconds": pytest.approx(native["duration"], abs=0.01)},
    }


def test_logprobs(service: Any, short: bytes, native: dict[str, Any]) -> None:
    found = send(service, short, **{"include[]": ["logprobs"]}).json()["logprobs"]
    assert [one["token"] for one in found] == native["source"].split()
    assert all(one["logprob"] <= 0 for one in found)
    assert bytes(found[0]["bytes"]).decode() == found[0]["token"]


def test_text(service: Any, short: bytes, native: dict[str, Any]) -> None:
    answer = send(service, short, response_format="text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == native["source"] + "\n"


def test_subtitles(service: Any, short: bytes, native: dict[str, Any]) -> None:
    lines = srt.parse(send(service, short, response_format="srt").text)
    assert " ".join(line.content for line in lines) == native["source"]
    answer = send(service, short, response_format="vtt")
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    captions = webvtt.from_buffer(io.StringIO(answer.text))
    assert " ".join(caption.text for caption in captions) == native["source"]


def test_verbose(service: Any, short: bytes, native: dict[str, Any]) -> None:
    found = send(service, short, temperature="0.25", **VERBOSE).json()
    assert (found["task"], found["language"]) == ("transcribe", "english")
    assert (found["text"], found["duration"]) == (native["source"], native["duration"])
    assert "words" not in found
    (segment,) = found["segments"]
    assert set(segment) == {
        *("id", "seek", "start", "end", "text", "tokens", "temperature"),
        *("avg_logprob", "compression_ratio", "no_speech_prob"),
    }
    assert (segment["id"], segment["temperature"]) == (0, 0.25)
    assert segment["text"] == native["segments"][0]["text"]


@pytest.mark.parametrize(
    ("wanted", "members"),
    [
        (["word"], {"words"}),
        (["segment"], {"segments"}),
        (["word", "segment"], {"words", "segments"}),
    ],
)
def test_granularities(
    service: Any, short: bytes, native: dict[str, Any], wanted: list[str], members: set[str]
) -> None:
    found = send(service, short, **VERBOSE, **{"timestamp_granularities[]": wanted}).json()
    assert members == {"words", "segments"} & set(found)
    if "words" in members:
        assert found["words"] == [
            {name: word[name] for name in ("word", "start", "end")} for word in native["words"]
        ]


@pytest.mark.parametrize("wanted", ["json", "text"])
def test_a_stream(service: Any, short: bytes, native: dict[str, Any], wanted: str) -> None:
    answer = send(service, short, stream="true", response_format=wanted)
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = answer.text.split("\n\n")
    assert blocks.pop() == ""
    events = [json.loads(block.removeprefix("data: ")) for block in blocks]
    done = events.pop()
    assert done.pop("usage")["type"] == "duration"
    assert done == {"type": "transcript.text.done", "text": native["source"]}
    assert {event["type"] for event in events} == {"transcript.text.delta"}
    assert "".join(event["delta"] for event in events) == native["source"]


def test_fields_of_other_models_are_taken(
    service: Any, short: bytes, native: dict[str, Any]
) -> None:
    answer = send(
        service,
        short,
        model="gpt-4o-transcribe",
        language="en",
        prompt="A novel.",
        temperature="0",
        **{
            "chunking_strategy[type]": "server_vad",
            "chunking_strategy[threshold]": "0.4",
            "languages[]": ["en"],
        },
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == native["source"]
    assert send(service, short, chunking_strategy="auto", language="").status_code == 200


def test_english_is_translated_by_recognizing_it(
    service: Any, short: bytes, native: dict[str, Any]
) -> None:
    assert send(service, short, TRANSLATIONS).json()["text"] == native["source"]
    verbose = send(service, short, TRANSLATIONS, **VERBOSE).json()
    assert (verbose["task"], verbose["text"]) == ("translate", native["source"])


def test_a_language_that_is_not_recognized(service: Any, short: bytes) -> None:
    """Spanish would be translated, if there were a model that recognizes it."""
    answer = send(service, short, TRANSLATIONS, language="es")
    assert answer.status_code == 400
    problem = error_of(answer)
    assert (problem["code"], problem["param"]) == ("unsupported_language", "language")
    assert "served: en (asr, default)" in problem["message"]


def test_a_language_that_is_not_translated(service: Any, short: bytes) -> None:
    answer = send(service, short, TRANSLATIONS, language="sv")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "unsupported_language")
    assert "served: ca, en, es" in error_of(answer)["message"]


def test_models(service: Any) -> None:
    listed = service.client.get("/v1/models").json()
    assert listed["object"] == "list"
    names = [one["id"] for one in listed["data"]]
    assert {"asr", "default", "whisper-1", "gpt-4o-transcribe"} <= set(names)
    one = service.client.get("/v1/models/whisper-1").json()
    assert one == {"id": "whisper-1", "object": "model", "created": 0, "owned_by": "speechgate"}
    missing = service.client.get("/v1/models/whisper-9")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "whisper-9"}, 404, "model_not_found", "model"),
        ({"language": "de"}, 400, "unsupported_language", "language"),
        ({"response_format": "docx"}, 400, "validation_failed", "response_format"),
        ({"temperature": "2"}, 400, "validation_failed", "temperature"),
        ({"temperature": "nan"}, 400, "validation_failed", "temperature"),
        ({"colour": "red"}, 400, "validation_failed", "colour"),
        ({"model": ["a", "b"]}, 400, "invalid_field", "model"),
        (
            {"timestamp_granularities[]": "word"},
            *(400, "unsupported_parameter", "timestamp_granularities"),
        ),
        ({"include[]": "logprobs", **VERBOSE}, 400, "unsupported_parameter", "include"),
        ({"stream": "true", **VERBOSE}, 400, "unsupported_parameter", "stream"),
        ({"known_speaker_names[]": "ann"}, 400, "unsupported_parameter", "known_speaker_names"),
        ({"chunking_strategy[type]": "mine"}, 400, "validation_failed", None),
    ],
)
def test_refusals(
    service: Any, short: bytes, fields: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answer = send(service, short, **fields)
    problem = error_of(answer)
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert problem["type"] == "invalid_request_error"
    if param is not None:
        assert problem["param"] == param


def test_no_translation_names_speakers(service: Any, short: bytes) -> None:
    answer = send(service, short, TRANSLATIONS, response_format="diarized_json")
    assert (answer.status_code, error_of(answer)["param"]) == (400, "response_format")


def test_refusals_before_the_form(service: Any, short: bytes) -> None:
    unread = service.client.post(TRANSCRIPTIONS, json={})
    assert (unread.status_code, error_of(unread)["code"]) == (415, "unsupported_media_type")
    nameless = service.client.post(TRANSCRIPTIONS, files={"file": ("a", short)})
    assert (nameless.status_code, error_of(nameless)["param"]) == (400, "model")
    noise = send(service, b"not audio at all")
    assert (noise.status_code, error_of(noise)["code"]) == (400, "not_audio")
    wrong = service.client.get(TRANSCRIPTIONS)
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
    with service.client_of("tts:infer") as other:
        forbidden = other.get("/v1/models")
    assert (forbidden.status_code, error_of(forbidden)["code"]) == (403, "scope_missing")
    stranger = httpx.post(service.app.url + TRANSCRIPTIONS)
    assert (stranger.status_code, error_of(stranger)["code"]) == (401, "invalid_api_key")
