"""Everything that a client can get wrong: a clear 4xx with a stable code, in time and memory."""

import base64
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from tests.e2e.conftest import client_of, make_key, speechgate
from tests.support import badaudio
from tests.support.badaudio import asr_document

ASR = "/api/v1/asr/inference"
TTS = "/api/v1/tts/inference"
NMT = "/api/v1/nmt/inference"
LIMIT_S = 1.0
ENGLISH = {"language": {"sourceLanguage": "en"}}


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check the answer's whole shape; the problem document."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    assert answer.elapsed.total_seconds() <= LIMIT_S
    return problem


def wrong_checksum(key: str) -> str:
    return key[:-1] + ("a" if key[-1] != "a" else "b")


class TestKeys:
    def test_no_key(self, stack: Stack) -> None:
        with client_of(stack, "") as client:
            answer = client.post(ASR, json=asr_document(badaudio.speech_wav()))
        refused(answer, 401, "key_missing")
        assert answer.headers["www-authenticate"]

    @pytest.mark.parametrize("key", ["x", "sg_live_abc_def", "Bearer", "sg_live_" + "a" * 1000])
    def test_malformed(self, stack: Stack, key: str) -> None:
        with client_of(stack, key) as client:
            refused(client.post(ASR, json={}), 401, "key_malformed")

    def test_mistyped(self, stack: Stack) -> None:
        key = make_key(stack, "--name", "typo", "--scope", "*")["key"]
        with client_of(stack, wrong_checksum(key)) as client:
            refused(client.post(ASR, json={}), 401, "key_malformed")

    def test_revoked(self, stack: Stack) -> None:
        made = make_key(stack, "--name", "soon gone", "--scope", "*")
        with client_of(stack, made["key"]) as client:
            assert client.get("/api/v1/asr/languages").status_code == 200
            speechgate(stack, "keys", "revoke", made["id"])
            revoked_at = time.monotonic()
            while client.get("/api/v1/asr/languages").status_code == 200:
                assert time.monotonic() - revoked_at < 2, "refused everywhere within 2 s"
                time.sleep(0.05)
            refused(client.post(ASR, json={}), 401, "key_revoked")

    def test_expired(self, stack: Stack) -> None:
        key = make_key(stack, "--name", "short", "--scope", "*", "--expires-in", "1s")["key"]
        time.sleep(1.1)  # The condition is the clock itself.
        with client_of(stack, key) as client:
            refused(client.post(ASR, json={}), 401, "key_expired")

    def test_wrong_scope(self, stack: Stack) -> None:
        key = make_key(stack, "--name", "tts only", "--scope", "tts:infer")["key"]
        with client_of(stack, key) as client:
            refused(client.post(ASR, json=asr_document(b"")), 403, "scope_missing")

    def test_the_61st_request_in_a_minute(self, stack: Stack) -> None:
        key = make_key(stack, "--name", "limited", "--scope", "*")["key"]
        with client_of(stack, key) as client:
            before_first = time.time()
            for number in range(60):
                answer = client.get("/api/v1/asr/languages")
                assert answer.status_code == 200
                if number == 0:
                    after_first = time.time()
                assert f'"minute";r={59 - number}' in answer.headers["ratelimit"]
            before = time.time()
            answer = client.get("/api/v1/asr/languages")
            after = time.time()
        problem = refused(answer, 429, "rate_limited")
        assert problem["violated-policies"]
        # The first request leaves the window 60 s after it was counted, whole seconds rounded up.
        soonest = math.ceil(before_first + 60 - after)
        latest = math.ceil(after_first + 60 - before)
        assert soonest <= int(answer.headers["retry-after"]) <= latest
        assert latest - soonest <= 1


class TestDocuments:
    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "empty_body"),
            (b'{"audio": [{"audioContent": "UklGR', 400, "invalid_json"),
            (b'{"audio":' + b"[" * 100_000, 400, "json_too_deep"),
            (b'{"audio":' * 100_000, 400, "json_too_deep"),
            (b'{"audio": NaN}', 400, "invalid_json"),
            (b'{"audio": [], "audio": []}', 400, "duplicate_member"),
            (b'{"audio": "\\ud800"}', 400, "invalid_json"),
            (b"[]", 400, "invalid_json"),
            (b"{}", 422, "validation_failed"),
        ],
    )
    @pytest.mark.parametrize("path", [ASR, TTS, NMT])
    def test_bodies(
        self, client: httpx.Client, path: str, body: bytes, status: int, code: str
    ) -> None:
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        refused(answer, status, code)

    def test_declared_too_large(self, client: httpx.Client) -> None:
        answer = client.post(ASR, content=b" " * (33 * 1024 * 1024))
        refused(answer, 413, "payload_too_large")

    def test_too_large_without_a_declared_length(self, client: httpx.Client) -> None:
        answer = client.post(ASR, content=(b" " * 65_536 for _ in range(600)))
        refused(answer, 413, "payload_too_large")

    def test_unknown_path_and_method(self, client: httpx.Client) -> None:
        refused(client.get("/api/v1/none"), 404, "not_found")
        refused(client.get(ASR), 405, "method_not_allowed")


class TestAudio:
    @pytest.mark.parametrize(
        ("make", "codes"),
        [
            (lambda: b"", {"empty_audio"}),
            (lambda: b"This is a text and no audio at all. " * 100, {"not_audio"}),
            (badaudio.truncated_wav, {"audio_truncated"}),
            (badaudio.lying_flac, {"audio_truncated", "audio_too_long", "not_audio"}),
            (badaudio.flac_bomb, {"audio_too_long"}),
            (badaudio.twelve_channel_wav, {"too_many_channels"}),
            (badaudio.one_hertz_wav, {"unsupported_sample_rate"}),
            (badaudio.ten_hour_wav, {"audio_too_long", "audio_truncated"}),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_audio(
        self, stack: Stack, client: httpx.Client, make: Callable[[], bytes], codes: set[str]
    ) -> None:
        document = asr_document(make())
        peak = PeakMemory(stack.info.pids)
        answer = client.post(ASR, json=document)
        grown = peak.grown_bytes()
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["code"] in codes, answer.text
        refused(answer, answer.status_code, answer.json()["code"])
        assert grown <= 50 * 1024 * 1024

    def test_not_base64(self, client: httpx.Client) -> None:
        document = asr_document(b"")
        document["audio"] = [{"audioContent": "not/base64!"}]
        refused(client.post(ASR, json=document), 422, "not_base64")

    def test_unknown_language(self, client: httpx.Client) -> None:
        answer = client.post(ASR, json=asr_document(badaudio.speech_wav(), language="tlh"))
        problem = refused(answer, 422, "unsupported_language")
        assert "en" in problem["detail"]

    @pytest.mark.parametrize(
        "uri",
        [
            "https://127.0.0.1/a.wav",
            "https://localhost/a.wav",
            "https://10.0.0.1/a.wav",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/a.wav",
            "https://[::ffff:10.0.0.1]/a.wav",
            "https://2130706433/a.wav",
            "http://192.168.1.1/a.wav",
            "file:///etc/passwd",
            "ftp://example.com/a.wav",
            "https://user:password@127.0.0.1/a.wav",
        ],
    )
    def test_private_addresses(self, client: httpx.Client, uri: str) -> None:
        document = asr_document(b"")
        document["audio"] = [{"audioUri": uri}]
        refused(client.post(ASR, json=document), 422, "uri_not_allowed")


class TestText:
    def test_too_long_to_speak(self, client: httpx.Client) -> None:
        document = {"input": [{"source": "word " * 20_000}], "config": ENGLISH}
        answer = client.post(TTS, json=document)
        refused(answer, 413, "text_too_long")

    def test_too_long_to_translate(self, client: httpx.Client) -> None:
        config = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
        answer = client.post(NMT, json={"input": [{"source": "word " * 20_000}], "config": config})
        refused(answer, 413, "text_too_long")

    def test_unknown_languages(self, client: httpx.Client) -> None:
        config = {"language": {"sourceLanguage": "tlh"}}
        answer = client.post(TTS, json={"input": [{"source": "nuqneH"}], "config": config})
        refused(answer, 422, "unsupported_language")
        config = {"language": {"sourceLanguage": "en", "targetLanguage": "tlh"}}
        answer = client.post(NMT, json={"input": [{"source": "hello"}], "config": config})
        problem = refused(answer, 422, "unsupported_language")
        assert "en-es" in problem["detail"]

    def test_markup_is_not_spoken(self, client: httpx.Client) -> None:
        source = '<speak><audio src="file:///etc/passwd"/></speak>'
        answer = client.post(TTS, json={"input": [{"source": source}], "config": ENGLISH})
        refused(answer, 422, "ssml_unsupported")


class PeakMemory:
    """How much the resident memory of our own processes grew at its peak since the start."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = [pid for name, pid in pids.items() if name.startswith(("asr", "gateway"))]
        assert self._pids
        for pid in self._pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # Resets the peak (proc(5)).
        self._before = {pid: self._status(pid, "VmRSS") for pid in self._pids}

    @staticmethod
    def _status(pid: int, field: str) -> int:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(field)

    def grown_bytes(self) -> int:
        """Of the process that grew most."""
        return max(self._status(pid, "VmHWM") - self._before[pid] for pid in self._pids)


def test_what_was_refused_leaves_a_healthy_platform(client: httpx.Client) -> None:
    content = base64.b64encode(badaudio.speech_wav()).decode()
    document = {"audio": [{"audioContent": content}], "config": ENGLISH}
    answer = client.post(ASR, json=document)
    assert answer.status_code == 200
    assert answer.json()["output"][0]["source"]
