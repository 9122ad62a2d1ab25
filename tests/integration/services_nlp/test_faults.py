import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from services.nlp.db.schema import MIGRATIONS
from services.nlp.main import create_app
from services.nlp.settings import NlpSettings
from shared.db.migrations import check, upgrade
from shared.db.revisions import SchemaOutdated
from tests.support.live_app import Keys, LiveApp, until
from tests.support.poll import eventually

PATH = "/api/v1/nmt/inference"
ROOT = Path(__file__).resolve().parents[3]


def body(source: str = "The house is red.") -> dict[str, Any]:
    return {
        "input": [{"source": source}],
        "config": {"language": {"sourceLanguage": "en", "targetLanguage": "es"}},
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def rows(settings: NlpSettings) -> list[tuple[str, str | None]]:
    with sqlite3.connect(settings.database_url.removeprefix("sqlite+aiosqlite:///")) as database:
        found = database.execute("SELECT status, error_code FROM nmt_requests").fetchall()
    database.close()
    return found


def test_a_closed_port_is_a_quick_503_and_leaves_a_row(settings: NlpSettings, serve: Any) -> None:
    settings = settings.model_copy(update={"triton_url": f"127.0.0.1:{free_port()}"})
    with serve(settings) as app, app.client() as client:
        started = time.perf_counter()
        response = client.post(PATH, json=body())
        assert time.perf_counter() - started < 1
        assert (response.status_code, response.json()["code"]) == (503, "inference_unavailable")
        assert int(response.headers["retry-after"]) >= 1
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200
        detailed = client.get("/health/detailed").json()
        assert detailed["checks"]["triton"]["status"] == "error"
        assert detailed["checks"]["database"]["status"] == "ok"
    assert rows(settings) == [("failed", "inference_unavailable")]


def test_triton_dies_and_comes_back(
    settings: NlpSettings, serve: Any, triton: TritonServer
) -> None:
    with serve(settings) as app, app.client() as client:
        assert client.post(PATH, json=body()).status_code == 200
        triton.kill()
        try:
            started = time.perf_counter()
            response = client.post(PATH, json=body())
            assert time.perf_counter() - started < 1
            assert response.status_code == 503
        finally:
            triton.restart()
        until(lambda: client.post(PATH, json=body()).status_code == 200, timeout_s=10)


def test_a_client_that_leaves_stops_the_work(settings: NlpSettings, serve: Any) -> None:
    document = body()
    document["input"] = [
        {"source": " ".join(f"The {number}{item} old houses are red." for number in range(120))}
        for item in range(20)
    ]

    async def leave_in_the_middle(app: LiveApp) -> None:
        async with httpx.AsyncClient(headers=app.keys.headers("nlp"), timeout=60) as client:

            async def at_work() -> bool:
                assert not asked.done()
                counted = (await client.get(f"{app.url}/metrics")).text
                return 'speechgate_nlp_batch_size_count{task="translation"}' in counted

            asked = asyncio.create_task(client.post(app.url + PATH, json=document))
            await eventually(at_work, timeout_s=20)
            asked.cancel()

    with serve(settings) as app:
        asyncio.run(leave_in_the_middle(app))
        until(lambda: rows(settings) == [("failed", "client_disconnected")], timeout_s=5)
        with app.client() as client:
            assert 'status="499"' in client.get("/metrics").text
            assert client.post(PATH, json=body()).status_code == 200


def test_postgres_dies_and_no_answered_request_is_lost(
    settings: NlpSettings, serve: Any, postgres: PostgresCluster
) -> None:
    url = postgres.create_database("speechgate_nlp_fault")
    with serve(settings.model_copy(update={"database_url": url})) as app, app.client() as client:
        first = client.post(PATH, json=body()).json()["id"]
        postgres.kill()
        try:
            answer = client.post(PATH, json=body("Translated while the database is down."))
            assert answer.status_code == 200
            second = answer.json()["id"]
            stored = client.get(f"/api/v1/nmt/requests/{first}")
            assert (stored.status_code, stored.json()["code"]) == (503, "database_unavailable")
            assert client.get("/ready").status_code == 200
            assert client.get("/health/detailed").json()["status"] == "degraded"
        finally:
            postgres.restart()
        for stored_id in (first, second):
            until(
                lambda stored_id=stored_id: (
                    client.get(f"/api/v1/nmt/requests/{stored_id}").status_code == 200
                ),
                timeout_s=20,
            )


async def test_an_unmigrated_database_stops_the_start(
    settings: NlpSettings, tmp_path: Path
) -> None:
    app = create_app(
        settings.model_copy(
            update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/x", "database_wait_s": 0.0}
        )
    )
    with pytest.raises(SchemaOutdated):
        async with app.router.lifespan_context(app):
            pass


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_and_models_agree(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/check.db"
    else:
        url = request.getfixturevalue("postgres").create_database("speechgate_nlp_check")
    upgrade(MIGRATIONS, url)
    check(MIGRATIONS, url)


def test_language_detection_needs_no_inference_server(settings: NlpSettings, serve: Any) -> None:
    settings = settings.model_copy(update={"triton_url": f"127.0.0.1:{free_port()}"})
    document = {"input": [{"source": "Where is the station?"}]}
    with serve(settings) as app, app.client() as client:
        answer = client.post("/api/v1/nlp/language-detection/inference", json=document)
    assert answer.json()["output"][0]["langPrediction"][0]["langCode"] == "en"


def test_the_command_line_migrates_serves_and_drains(settings: NlpSettings, keys: Keys) -> None:
    port = free_port()
    environment = os.environ | {
        "SPEECHGATE_PORT": str(port),
        "SPEECHGATE_DATABASE_URL": settings.database_url,
        "SPEECHGATE_SPOOL_DIR": str(settings.spool_dir),
        "SPEECHGATE_TRITON_URL": settings.triton_url,
        "SPEECHGATE_IDENTITY_PUBLIC_KEY_FILE": str(keys.public_file),
        "SPEECHGATE_NMT_MODELS": '{"default": "nmt", "legal": "nmt"}',
    }
    command = [sys.executable, "-m", "services.nlp"]
    subprocess.run([*command, "migrate"], env=environment, cwd=ROOT, check=True)
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            app = LiveApp("nlp", f"http://127.0.0.1:{port}", keys)

            def ready() -> bool:
                try:
                    return httpx.get(f"{app.url}/ready").status_code == 200
                except httpx.TransportError:
                    return False

            until(ready, timeout_s=30)
            document = body()
            document["config"]["serviceId"] = "legal"
            with app.client() as client:
                answer = client.post(PATH, json=document)
            assert answer.status_code == 200
            assert "casa" in answer.json()["output"][0]["target"]
            process.send_signal(signal.SIGTERM)
            # uvicorn ends itself by the signal that it drained for.
            assert process.wait(30) in (0, -signal.SIGTERM)
        finally:
            process.kill()
    assert rows(settings) == [("succeeded", None)]
