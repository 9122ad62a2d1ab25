"""What clients see while a dependency is down, while there are too many, and after they left."""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from services.asr.db.schema import MIGRATIONS
from services.asr.lifespan import open_context
from services.asr.models.audio import AsrOptions, AudioSource
from services.asr.settings import AsrSettings
from shared.caller import Caller
from shared.db.migrations import upgrade
from shared.db.revisions import SchemaOutdated
from shared.health import Health
from shared.metrics import Metrics
from tests.support.live_app import Keys, until
from tests.support.poll import eventually
from tests.support.recordings import recordings, write_wav

ROOT = Path(__file__).resolve().parents[3]
INFERENCE = "/api/v1/asr/inference"
Rows = Callable[[str, str], list[dict[str, Any]]]


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def own_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """A server that a test may kill."""
    folder = tmp_path_factory.mktemp("triton-own")
    server = TritonServer(
        ROOT / "triton_models", folder, models=["asr", "vad"], probe_every_s=600.0
    )
    server.start()
    yield server
    server.close()


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A cluster that a test may kill."""
    cluster = PostgresCluster(tmp_path_factory.mktemp("postgres-own"))
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.purge()


class TestTriton:
    def test_down_from_the_start(self, make_service: Any, short: bytes, rows: Rows) -> None:
        service = make_service(triton_url=f"127.0.0.1:{unused_port()}")
        for _ in range(3):
            response = service.infer(short)
            assert (response.status_code, response.json()["code"]) == (503, "inference_unavailable")
            assert int(response.headers["retry-after"]) >= 1
            assert response.elapsed.total_seconds() <= 1
        assert service.client.get("/ready").status_code == 503
        assert service.client.get("/health").status_code == 200
        found = rows(service.settings.database_url, "SELECT status, error_code FROM asr_requests")
        assert found == [{"status": "failed", "error_code": "inference_unavailable"}] * 3

    def test_killed_and_back(
        self, make_service: Any, own_triton: TritonServer, short: bytes
    ) -> None:
        service = make_service(triton_url=own_triton.grpc_url)
        assert service.infer(short).status_code == 200
        own_triton.kill()
        response = service.infer(short)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) >= 1
        assert response.elapsed.total_seconds() <= 1
        assert service.client.get("/ready").status_code == 503
        own_triton.restart()
        until(lambda: service.infer(short).status_code == 200, timeout_s=10)
        assert service.client.get("/ready").status_code == 200

    def test_killed_while_it_recognizes(
        self, make_service: Any, own_triton: TritonServer, tmp_path: Path, rows: Rows
    ) -> None:
        service = make_service(triton_url=own_triton.grpc_url)
        samples = np.concatenate([one.samples() for one in recordings()])
        speech = write_wav(tmp_path / "long.wav", samples).read_bytes()
        found: list[httpx.Response] = []
        detected = detections(own_triton)
        thread = threading.Thread(target=lambda: found.append(service.infer(speech)))
        thread.start()
        # Speech has been found, so recognition, which takes seconds, has begun.
        until(lambda: detections(own_triton) > detected, timeout_s=20)
        own_triton.kill()
        killed = time.monotonic()
        thread.join(10)
        assert time.monotonic() - killed <= 1.5
        assert found[0].status_code == 503
        (row,) = rows(service.settings.database_url, "SELECT * FROM asr_requests")
        assert row["status"] == "failed"
        assert row["error_code"] == found[0].json()["code"]
        assert row["audio_seconds"] > 20


def detections(server: TritonServer) -> int:
    """Inferences that the `vad` model has ended."""
    stats = httpx.get(f"{server.url}/v2/models/vad/stats", trust_env=False).json()
    count: int = stats["model_stats"][0]["inference_stats"]["success"]["count"]
    return count


class TestDatabase:
    def test_killed_and_back(
        self, make_service: Any, own_postgres: PostgresCluster, short: bytes, rows: Rows
    ) -> None:
        """Answers go on, from the spool; the rows arrive when the database is back."""
        url = own_postgres.create_database("speechgate_asr")
        service = make_service(database_url=url)
        ids = [service.infer(short).json()["id"]]
        own_postgres.kill()
        for _ in range(2):
            response = service.infer(short)
            assert response.status_code == 200
            ids.append(response.json()["id"])
        report = service.client.get("/health/detailed").json()
        assert report["status"] == "degraded"
        assert service.client.get("/ready").status_code == 200
        response = service.client.get(f"/api/v1/asr/requests/{ids[0]}")
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        assert list(service.settings.spool_dir.glob("*.json"))
        own_postgres.restart()
        until(lambda: not list(service.settings.spool_dir.glob("*.json")), timeout_s=20)
        found = {row["id"] for row in rows(url, "SELECT id FROM asr_requests")}
        assert found == set(ids)
        assert len(rows(url, "SELECT id FROM asr_results")) == len(ids)

    async def test_an_old_schema_is_refused(self, keys: Keys, tmp_path: Path) -> None:
        url = f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        settings = self.settings(keys, tmp_path, url, database_wait_s=0.0)
        with pytest.raises(SchemaOutdated):
            async with open_context(settings, Health("0"), Metrics("asr")):
                pass

    async def test_one_that_comes_late_is_waited_for(
        self, keys: Keys, tmp_path: Path, own_postgres: PostgresCluster
    ) -> None:
        url = await asyncio.to_thread(own_postgres.create_database, "speechgate_asr")
        await asyncio.to_thread(upgrade, MIGRATIONS, url)
        await asyncio.to_thread(own_postgres.kill)
        settings = self.settings(keys, tmp_path, url, triton_url="127.0.0.1:1")

        async def opened() -> bool:
            async with open_context(settings, Health("0"), Metrics("asr")):
                return True

        opening = asyncio.create_task(opened())
        await asyncio.to_thread(own_postgres.restart)
        assert await opening

    @staticmethod
    def settings(keys: Keys, folder: Path, url: str, **overrides: Any) -> AsrSettings:
        return AsrSettings(
            database_url=url,
            identity_public_key_file=keys.public_file,
            spool_dir=folder / "spool",
            **overrides,
        )


class TestLoad:
    def test_a_client_that_leaves_ends_its_work(
        self, make_service: Any, keys: Keys, tmp_path: Path, rows: Rows
    ) -> None:
        service = make_service()
        samples = np.concatenate([one.samples() for one in recordings()] * 4)
        speech = write_wav(tmp_path / "long.wav", samples).read_bytes()
        document = json.dumps(
            {
                "audio": [{"audioContent": base64.b64encode(speech).decode()}],
                "config": {"language": {"sourceLanguage": "en"}},
            }
        ).encode()
        ((name, token),) = keys.headers("asr").items()
        head = (
            f"POST {INFERENCE} HTTP/1.1\r\nHost: x\r\n{name}: {token}\r\n"
            f"Content-Length: {len(document)}\r\n\r\n"
        )
        port = httpx.URL(service.app.url).port or 0
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + document)
            until(lambda: running(service) == 1, timeout_s=10)
        left = time.monotonic()
        found = "SELECT status, error_code FROM asr_requests"
        until(lambda: bool(rows(service.settings.database_url, found)), timeout_s=3)
        assert rows(service.settings.database_url, found) == [
            {"status": "cancelled", "error_code": "client_disconnected"}
        ]
        assert time.monotonic() - left < 3, "the work was not waited for"
        assert running(service) == 0
        short_one = recordings()[4].path.read_bytes()
        assert service.infer(short_one).status_code == 200

    async def test_what_the_end_of_the_process_cancels_is_stored_as_such(
        self, keys: Keys, triton: TritonServer, tmp_path: Path, rows: Rows
    ) -> None:
        url = f"sqlite+aiosqlite:///{tmp_path}/asr.db"
        await asyncio.to_thread(upgrade, MIGRATIONS, url)
        settings = TestDatabase.settings(keys, tmp_path, url, triton_url=triton.grpc_url)
        sources = [AudioSource(content=one.path.read_bytes()) for one in recordings()]
        caller = Caller("tenant", "key", "request", "trace")
        async with open_context(settings, Health("0"), Metrics("asr")) as context:
            job = asyncio.create_task(
                context.service.transcribe(sources, AsrOptions(language="en"), caller)
            )
            await eventually(lambda: not sources)
            job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        found = await asyncio.to_thread(rows, url, "SELECT status FROM asr_requests")
        assert found == [{"status": "cancelled"}]

    def test_too_many_requests_are_told_so(self, make_service: Any, short: bytes) -> None:
        service = make_service(asr_max_requests=1)
        answers: list[httpx.Response] = []

        def send() -> None:
            answers.append(service.infer(short))

        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(answer.status_code for answer in answers)
        assert set(statuses) == {200, 503}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert all(answer.json()["code"] == "asr_saturated" for answer in refused)
        assert all(answer.headers["retry-after"] for answer in refused)

    def test_the_same_audio_at_once_gives_the_same_text(self, service: Any, short: bytes) -> None:
        expected = service.infer(short).json()["output"]
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.append(service.infer(short).json()["output"]))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 8


def running(service: Any) -> float:
    """Requests that the service is answering, this question aside."""
    lines = service.client.get("/metrics").text.splitlines()
    line = next(one for one in lines if one.startswith("speechgate_http_requests_in_flight{"))
    return float(line.rsplit(" ", 1)[1]) - 1
