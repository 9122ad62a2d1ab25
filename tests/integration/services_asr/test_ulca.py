"""ULCA's paths, and voice activity detection on both of its paths."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.recordings import write_wav

ASR, VAD, NATIVE_VAD = "/services/inference/asr", "/services/inference/vad", "/api/v1/asr/vad"


def body(*contents: bytes, **config: Any) -> dict[str, Any]:
    audio = [{"audioContent": base64.b64encode(one).decode()} for one in contents]
    return {"audio": audio, "config": {"language": {"sourceLanguage": "en"}, **config}}


def detail_of(response: httpx.Response) -> dict[str, str]:
    document = response.json()
    assert set(document) == {"detail"}
    assert set(document["detail"]) == {"kind", "message"}
    found: dict[str, str] = document["detail"]
    return found


def test_the_answer_is_that_of_ulca(service: Any, short: bytes) -> None:
    native = service.infer(short, bestTokenCount=2).json()["output"][0]
    answer = service.client.post(ASR, json=body(short, bestTokenCount=2))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "taskType": "asr",
        "output": [{"source": native["source"], "nBestTokens": native["nBestTokens"]}],
        "config": {"language": {"sourceLanguage": "en"}, "bestTokenCount": 2},
    }


def test_the_service_id_of_the_url_goes_first(service: Any, short: bytes) -> None:
    right = service.client.post(ASR, params={"serviceId": "asr"}, json=body(short, serviceId="no"))
    assert right.status_code == 200
    assert right.json()["config"]["serviceId"] == "asr"
    wrong = service.client.post(ASR, params={"serviceId": "no"}, json=body(short))
    assert (wrong.status_code, detail_of(wrong)["kind"]) == (422, "unknown_model")


@pytest.mark.parametrize(
    ("path", "document", "kind"),
    [
        (ASR, {}, "validation_failed"),
        (ASR, body(b"x"), "not_audio"),
        (ASR, {"audio": [{"audioContent": "*"}], "config": body()["config"]}, "not_base64"),
        (ASR, body(b"x", language={"sourceLanguage": "de"}), "unsupported_language"),
        (VAD, {"audio": []}, "validation_failed"),
        (VAD, {**body(b"x"), "config": {"threshold": 2}}, "validation_failed"),
    ],
)
def test_refusals(service: Any, path: str, document: dict[str, Any], kind: str) -> None:
    answer = service.client.post(path, json=document)
    assert (answer.status_code, detail_of(answer)["kind"]) == (422, kind)


@pytest.mark.parametrize("wanted", ["csv", "vtt", "txt", "json", "verbose_json"])
def test_every_format_is_named_in_the_body(service: Any, short: bytes, wanted: str) -> None:
    source = service.client.post(ASR, json=body(short, transcriptionFormat=wanted)).json()
    text = service.infer(short).json()["output"][0]["source"]
    found = source["output"][0]["source"]
    first = {"csv": "index,start", "vtt": "WEBVTT"}.get(wanted)
    assert found == text if first is None else found.startswith(first)


@pytest.mark.parametrize("path", [VAD, NATIVE_VAD])
def test_speech_is_found(service: Any, short: bytes, tmp_path: Any, path: str) -> None:
    silence = np.zeros(32_000, np.int16)
    speech = np.frombuffer(short[44:], np.int16)
    padded = write_wav(tmp_path / "a.wav", np.concatenate([silence, speech, silence]))
    document = {"audio": body(padded.read_bytes(), short)["audio"]}
    answer = service.client.post(path, json=document)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["taskType"], found["config"]) == ("vad", {})
    first, second = (one["timestamps"] for one in found["output"])
    seconds = len(speech) / 16_000
    assert first[0]["start"] == pytest.approx(2 + second[0]["start"], abs=0.1)
    assert 2 + seconds / 2 < first[-1]["end"] <= 2 + seconds + 0.1


def test_the_options_reach_the_model(service: Any, short: bytes) -> None:
    def count(**config: Any) -> int:
        document = {"audio": body(short)["audio"], "config": config}
        answer = service.client.post(NATIVE_VAD, json=document)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["output"][0]["timestamps"])

    assert count(minSpeechDurationMs=60_000) == 0
    assert count(minSilenceDurationMs=0, speechPadMs=0, threshold=0.9) > count(
        minSilenceDurationMs=5_000
    )


def test_native_refusals_are_problems(service: Any) -> None:
    answer = service.client.post(NATIVE_VAD, json={"audio": []})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "validation_failed"
