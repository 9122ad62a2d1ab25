"""Human speech through the service: accuracy, times, formats, subtitles, storage."""

import io
from collections.abc import Iterator
from typing import Any

import httpx
import jiwer
import numpy as np
import pytest
import soundfile

from tests.support.recordings import EngineAlone, Recording, recordings, write_wav

INFERENCE = "/api/v1/asr/inference"
TRANSCRIBE = "/api/v1/asr/transcribe"
RECORDINGS = recordings()


def output(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["output"][0]
    return found


def wer(reference: list[str], found: list[str]) -> float:
    return float(jiwer.wer(reference, [text or "-" for text in found]))


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineAlone]:
    alone = EngineAlone()
    yield alone
    alone.close()


@pytest.fixture(scope="module")
def answers(service: Any) -> dict[str, dict[str, Any]]:
    return {
        one.name: output(service.infer(one.path.read_bytes(), audioFormat="wav"))
        for one in RECORDINGS
    }


def test_the_pipeline_loses_no_accuracy(
    answers: dict[str, dict[str, Any]], engine: EngineAlone
) -> None:
    references = [one.reference for one in RECORDINGS]
    through = wer(references, [answers[one.name]["source"] for one in RECORDINGS])
    alone = wer(references, [engine.transcribe(one.path)[0][0] for one in RECORDINGS])
    assert through == pytest.approx(alone, abs=0.02)
    assert through < 0.35


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.name)
def test_words_lie_in_order_inside_the_audio(
    answers: dict[str, dict[str, Any]], recording: Recording
) -> None:
    found = answers[recording.name]
    seconds = len(recording.samples()) / 16_000
    assert found["duration"] == pytest.approx(seconds, abs=0.001)
    assert " ".join(word["word"] for word in found["words"]) == found["source"]
    times = [time for word in found["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= seconds
    assert all(0 <= word["confidence"] <= 1 for word in found["words"])
    assert 0 < found["confidence"] <= 1
    assert len(found["segments"]) == 1, "a short clip is one segment"
    assert found["language"] == "en"


def test_long_audio_is_cut_in_silence_and_joined_again(service: Any, tmp_path: Any) -> None:
    """The five recordings with pauses: words keep the time that they have in the whole."""
    pause = np.zeros(16_000, np.int16)
    parts = [part for one in RECORDINGS for part in (one.samples(), pause)]
    whole = write_wav(tmp_path / "long.wav", np.concatenate(parts))
    found = output(service.infer(whole.read_bytes()))
    assert len(found["segments"]) == len(RECORDINGS)
    reference = " ".join(one.reference for one in RECORDINGS)
    assert wer([reference], [found["source"]]) < 0.35
    seconds = sum(map(len, parts)) / 16_000
    assert found["duration"] == pytest.approx(seconds, abs=0.001)
    ends = [segment["end"] for segment in found["segments"]]
    starts = [segment["start"] for segment in found["segments"]]
    assert all(start >= end for end, start in zip(ends, starts[1:], strict=False))
    # The last word of the last recording ends near its own end, not somewhere in a segment.
    assert seconds - 1.0 - 1.5 < found["words"][-1]["end"] < seconds - 0.9


def test_long_silence_around_speech_is_trimmed(service: Any, tmp_path: Any) -> None:
    one = RECORDINGS[4]
    silence = np.zeros(16_000 * 10, np.int16)
    padded = write_wav(tmp_path / "pad.wav", np.concatenate([silence, one.samples(), silence]))
    found = output(service.infer(padded.read_bytes()))
    assert found["duration"] == pytest.approx(20 + len(one.samples()) / 16_000, abs=0.001)
    assert found["words"][0]["start"] >= 9.9
    assert wer([one.reference], [found["source"]]) < 0.35


def test_silence_has_no_words(service: Any, tmp_path: Any) -> None:
    silence = write_wav(tmp_path / "silence.wav", np.zeros(48_000, np.int16))
    found = output(service.infer(silence.read_bytes()))
    assert (found["source"], found["words"], found["segments"]) == ("", [], [])
    assert found["confidence"] == 0
    assert found["duration"] == 3.0


def encoded(samples: Any, rate: int, audio_format: str, subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=audio_format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("audio_format", "subtype"),
    [("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("WAV", "FLOAT")],
)
def test_every_format_is_recognized(
    service: Any, answers: dict[str, dict[str, Any]], audio_format: str, subtype: str | None
) -> None:
    one = RECORDINGS[0]
    # As floats: libsndfile would write integers into a float file without scaling them.
    content = encoded(one.samples() / 32_768, 16_000, audio_format, subtype)
    # The declared format is only a hint.
    found = output(service.infer(content, audioFormat="mp3"))
    assert wer([answers[one.name]["source"]], [found["source"]]) < 0.3
    if audio_format in {"FLAC", "WAV"}:
        assert found["words"] == answers[one.name]["words"]


def test_headerless_pcm(service: Any, answers: dict[str, dict[str, Any]]) -> None:
    one = RECORDINGS[1]
    pcm = one.samples().tobytes()
    found = output(service.infer(pcm, audioFormat="pcm", samplingRate=16_000))
    assert found["words"] == answers[one.name]["words"]


def test_stereo_at_another_rate(service: Any, answers: dict[str, dict[str, Any]]) -> None:
    one = RECORDINGS[0]
    tripled = np.repeat(one.samples(), 3)
    found = output(service.infer(encoded(np.stack([tripled, tripled], 1), 48_000, "WAV")))
    assert found["duration"] == pytest.approx(answers[one.name]["duration"], abs=0.01)
    assert wer([answers[one.name]["source"]], [found["source"]]) < 0.3


def test_a_streamed_wav_of_unknown_length(service: Any, short: bytes) -> None:
    at = short.index(b"data") + 4
    streamed = short[:at] + b"\xff\xff\xff\xff" + short[at + 4 :]
    assert output(service.infer(streamed)) == output(service.infer(short))


def test_several_items_keep_their_order(service: Any, answers: dict[str, dict[str, Any]]) -> None:
    names = ["0930", "0880", "0890"]
    contents = [one.path.read_bytes() for name in names for one in RECORDINGS if one.name == name]
    response = service.infer(*contents)
    document = response.json()
    assert [one["source"] for one in document["output"]] == [
        answers[name]["source"] for name in names
    ]
    assert document["usage"]["audio_seconds"] == pytest.approx(
        sum(answers[name]["duration"] for name in names), abs=0.01
    )


def test_the_answer_has_the_ulca_members(service: Any, short: bytes) -> None:
    document = service.infer(short, serviceId="asr", samplingRate=16_000).json()
    assert document["taskType"] == "asr"
    assert document["config"] == {
        "language": {"sourceLanguage": "en"},
        "serviceId": "asr",
        "samplingRate": 16_000,
    }
    assert set(document["timings"]) == {
        "decode_ms",
        "vad_ms",
        "inference_ms",
        "store_ms",
        "total_ms",
    }
    assert "nBestTokens" not in document["output"][0]


@pytest.mark.parametrize("wanted", ["srt", {"value": "srt"}], ids=["plain", "object"])
def test_srt(service: Any, short: bytes, wanted: Any) -> None:
    source = output(service.infer(short, transcriptionFormat=wanted))["source"]
    lines = source.splitlines()
    assert lines[0] == "1"
    assert lines[1].startswith("00:00:00,")
    assert " --> " in lines[1]


def test_webvtt(service: Any, short: bytes) -> None:
    source = output(service.infer(short, transcriptionFormat="webvtt"))["source"]
    assert source.startswith("WEBVTT\n\n00:00:00.")


def test_best_tokens(service: Any, short: bytes) -> None:
    found = output(service.infer(short, bestTokenCount=3))
    assert [one["word"] for one in found["nBestTokens"]] == found["source"].split()
    for one in found["nBestTokens"]:
        weights = [weight for token in one["tokens"] for weight in token.values()]
        assert 1 <= len(weights) <= 3
        assert weights == sorted(weights, reverse=True)


def test_a_regional_language_tag(service: Any, short: bytes) -> None:
    assert output(service.infer(short, language={"sourceLanguage": "en-IN"}))["language"] == "en"


def test_an_uploaded_file_gives_the_same(service: Any, short: bytes) -> None:
    by_upload = service.client.post(
        TRANSCRIBE, files={"file": ("a.wav", short)}, data={"language": "en"}
    )
    assert output(by_upload) == output(service.infer(short))
    unsegmented = service.client.post(
        TRANSCRIBE, files={"file": ("a.wav", short)}, data={"vad": "false", "nbest": "2"}
    )
    assert output(unsegmented)["source"] == output(by_upload)["source"]
    assert "nBestTokens" in output(unsegmented)


@pytest.mark.parametrize(
    ("files", "data", "status", "code"),
    [
        ({"other": ("a.wav", b"x")}, {}, 422, "validation_failed"),
        ({"file": ("a.wav", b"x")}, {"colour": "red"}, 422, "validation_failed"),
        ({"file": ("a.wav", b"x")}, {"nbest": "many"}, 422, "validation_failed"),
        ({"file": ("a.wav", b"x")}, {"nbest": ["1", "2"]}, 422, "invalid_field"),
        ({"file": ("a.wav", b"x")}, {"language": "de"}, 422, "unsupported_language"),
        ({"file": ("a.wav", b"")}, {}, 422, "empty_audio"),
    ],
)
def test_bad_forms(
    service: Any, files: dict[str, Any], data: dict[str, Any], status: int, code: str
) -> None:
    response = service.client.post(TRANSCRIBE, files=files, data=data)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_form_without_a_file_or_of_another_type(service: Any) -> None:
    boundary = "x"
    form = f'--{boundary}\r\nContent-Disposition: form-data; name="language"\r\n\r\nen\r\n--x--\r\n'
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    response = service.client.post(TRANSCRIBE, content=form, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "file_missing")
    response = service.client.post(TRANSCRIBE, json={})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    headers = {"content-type": "multipart/form-data"}
    response = service.client.post(TRANSCRIBE, content=form, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_languages(service: Any) -> None:
    response = service.client.get("/api/v1/asr/languages")
    assert response.json() == {"languages": ["en"], "services": {"default": ["en"], "asr": ["en"]}}


def test_the_api_is_documented(service: Any) -> None:
    document = service.client.get("/openapi.json").json()
    paths = document["paths"]
    body = paths[INFERENCE]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["audio", "config"]
    form = paths[TRANSCRIBE]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["file"]
    for name in ("AudioItem", "AsrConfig", "AsrAnswer", "StoredAnswer"):
        assert name in document["components"]["schemas"]


def test_metrics_count_audio(service: Any, short: bytes) -> None:
    service.infer(short)
    text = service.client.get("/metrics").text
    assert 'speechgate_asr_audio_seconds_total{language="en",model="asr"}' in text
    assert 'speechgate_asr_requests_total{model="asr",status="succeeded"}' in text
    assert "speechgate_decode_duration_seconds_count" in text
