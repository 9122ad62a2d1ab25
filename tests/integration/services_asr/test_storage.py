"""What is stored, who may read it, and where recordings are fetched from."""

import base64
import socket
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.asr.db.schema import MIGRATIONS
from shared.db.migrations import check

INFERENCE = "/api/v1/asr/inference"
REQUESTS = "/api/v1/asr/requests"
Rows = Callable[[str, str], list[dict[str, Any]]]


class TestStorage:
    def test_an_answer_is_durable_before_it_is_given(
        self, stored: Any, short: bytes, rows: Rows
    ) -> None:
        answer = stored.infer(short, bestTokenCount=2).json()
        (request,) = rows(
            stored.settings.database_url,
            f"SELECT * FROM asr_requests WHERE id = '{answer['id']}'",  # noqa: S608
        )
        assert request["status"] == "succeeded"
        assert request["error_code"] is None
        assert (request["tenant_id"], request["subject"]) == ("tenant", "key")
        assert (request["model"], request["language"], request["segments"]) == ("asr", "en", 1)
        assert request["audio_seconds"] == pytest.approx(2.99, abs=0.01)
        assert request["latency_ms"] > 0
        (result,) = rows(
            stored.settings.database_url,
            f"SELECT * FROM asr_results WHERE request_id = '{answer['id']}'",  # noqa: S608
        )
        assert result["transcript"] == answer["output"][0]["source"]

    def test_it_is_found_again_by_its_tenant_only(self, stored: Any, short: bytes) -> None:
        response = stored.infer(short, short, bestTokenCount=2)
        answer = response.json()
        found = stored.client.get(f"{REQUESTS}/{answer['id']}").json()
        assert found["output"] == answer["output"]
        assert found["request_id"] == response.headers["x-request-id"]
        with stored.client_of("*", tenant="other") as stranger:
            theirs = stranger.get(f"{REQUESTS}/{answer['id']}")
        missing = stored.client.get(f"{REQUESTS}/{'0' * 32}")
        assert (theirs.status_code, missing.status_code) == (404, 404)
        personal = {"instance", "request_id"}
        assert {k: v for k, v in theirs.json().items() if k not in personal} == {
            k: v for k, v in missing.json().items() if k not in personal
        }

    def test_a_transcript_that_may_not_be_kept_is_not(self, stored: Any, short: bytes) -> None:
        document = {
            "audio": [{"audioContent": base64.b64encode(short).decode()}],
            "config": {"language": {"sourceLanguage": "en"}},
            "controlConfig": {"dataTracking": False},
        }
        answer = stored.client.post(INFERENCE, json=document).json()
        assert answer["output"][0]["source"]
        found = stored.client.get(f"{REQUESTS}/{answer['id']}").json()
        assert (found["status"], found["output"]) == ("succeeded", [])

    def test_the_schema_is_the_models(self, stored: Any) -> None:
        check(MIGRATIONS, stored.settings.database_url)

    def test_a_refused_request_leaves_no_row(self, stored: Any, rows: Rows) -> None:
        count = "SELECT count(*) AS n FROM asr_requests"
        before = rows(stored.settings.database_url, count)
        assert stored.infer(b"no audio").status_code == 422
        assert rows(stored.settings.database_url, count) == before


class TestAccess:
    def test_without_the_gateways_token(self, service: Any, short: bytes) -> None:
        with httpx.Client(base_url=service.app.url) as stranger:
            for response in (
                stranger.post(INFERENCE, content=short),
                stranger.get(f"{REQUESTS}/x"),
                stranger.get("/api/v1/asr/languages"),
                stranger.get("/openapi.json"),
            ):
                assert (response.status_code, response.json()["code"]) == (401, "identity_required")
            assert stranger.get("/health").status_code == 200

    def test_scopes(self, service: Any, short: bytes) -> None:
        with service.client_of("tts:infer", "asr:read") as reader:
            response = reader.post(INFERENCE, content=b"{}")
            assert (response.status_code, response.json()["code"]) == (403, "scope_missing")
            response = reader.post("/api/v1/asr/transcribe", files={"file": short})
            assert response.status_code == 403
            assert reader.get("/api/v1/asr/languages").status_code == 403
            assert reader.get(f"{REQUESTS}/x").status_code == 404
        with service.client_of("asr:infer") as sender:
            assert sender.get("/api/v1/asr/languages").status_code == 200
            assert sender.get(f"{REQUESTS}/x").status_code == 403


class TestUri:
    def test_a_recording_of_an_allowed_store(self, make_service: Any, short: bytes) -> None:
        with FileServer(short) as port:
            service = make_service(
                fetch_allow_http=True,
                fetch_allowed_ports=f"80,443,{port}",
                fetch_allowed_networks="127.0.0.0/8",
            )
            document = {
                "audio": [{"audioUri": f"http://127.0.0.1:{port}/speech.wav"}],
                "config": {"language": {"sourceLanguage": "en"}},
            }
            response = service.client.post(INFERENCE, json=document)
            assert response.json()["output"] == service.infer(short).json()["output"]
            document["audio"] = [{"audioUri": f"http://127.0.0.1:{port}/missing"}]
            response = service.client.post(INFERENCE, json=document)
            assert (response.status_code, response.json()["code"]) == (422, "uri_unreachable")

    def test_a_recording_that_is_too_large(self, make_service: Any, short: bytes) -> None:
        with FileServer(short) as port:
            service = make_service(
                fetch_max_bytes=1000,
                fetch_allow_http=True,
                fetch_allowed_ports=str(port),
                fetch_allowed_networks="127.0.0.1",
            )
            document = {
                "audio": [{"audioUri": f"http://127.0.0.1:{port}/speech.wav"}],
                "config": {"language": {"sourceLanguage": "en"}},
            }
            response = service.client.post(INFERENCE, json=document)
            assert (response.status_code, response.json()["code"]) == (413, "uri_too_large")


class FileServer:
    """An HTTP server on loopback with one file, `/speech.wav`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader:
                found = b"/speech.wav" in reader.readline()
                while reader.readline().strip():
                    pass
                status, body = ("200 OK", self._content) if found else ("404 Not Found", b"")
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)
