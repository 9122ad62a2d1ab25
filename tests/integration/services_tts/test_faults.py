import asyncio
import base64
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.postgres import PostgresCluster
from deploy.local.triton import TritonServer
from services.tts.db.schema import MIGRATIONS
from services.tts.main import create_app
from services.tts.settings import TtsSettings
from shared.db.migrations import check, upgrade
from shared.db.revisions import SchemaOutdated
from tests.support.live_app import Keys, LiveApp, until
from tests.support.poll import eventually

PATH = "/api/v1/tts/inference"
ROOT = Path(__file__).resolve().parents[3]


def body(source: str = "Hello there.") -> dict[str, Any]:
    return {
        "input": [{"source": source}],
        "config": {"language": {"sourceLanguage": "en"}, "gender": "female"},
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def rows(settings: TtsSettings) -> list[tuple[str, str | None]]:
    with sqlite3.connect(settings.database_url.removeprefix("sqlite+aiosqlite:///")) as database:
        found = database.execute("SELECT status, error_code FROM tts_requests").fetchall()
    database.close()
    return found


def test_a_closed_port_is_a_quick_503_and_leaves_a_row(settings: TtsSettings, serve: Any) -> None:
    settings = settings.model_copy(update={"triton_url": f"127.0.0.1:{free_port()}"})
    # Much less than the service would wait for an answer of the inference server.
    with serve(settings) as app, app.client(timeout_s=10) as client:
        response = client.post(PATH, json=body())
        assert (response.status_code, response.json()["code"]) == (503, "inference_unavailable")
        assert int(response.headers["retry-after"]) >= 1
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200
        detailed = client.get("/health/detailed").json()
        assert detailed["checks"]["triton"]["status"] == "error"
        assert detailed["checks"]["database"]["status"] == "ok"
    assert rows(settings) == [("failed", "inference_unavailable")]


def test_triton_dies_and_comes_back(
    settings: TtsSettings, serve: Any, triton: TritonServer
) -> None:
    # Much less than the service would wait for an answer of the inference server.
    with serve(settings) as app, app.client(timeout_s=10) as client:
        assert client.post(PATH, json=body()).status_code == 200
        triton.kill()
        try:
            response = client.post(PATH, json=body("Nobody is there."))
            assert response.status_code == 503
            # What is in memory needs no model.
            assert client.post(PATH, json=body()).status_code == 200
        finally:
            triton.restart()
        again = body("It is back.")
        until(lambda: client.post(PATH, json=again).status_code == 200, timeout_s=10)


def test_a_client_that_leaves_stops_the_work(
    settings: TtsSettings, serve: Any, triton: TritonServer
) -> None:
    def spoken() -> float:
        lines = httpx.get(triton.metrics_url).text.splitlines()
        counts = [line for line in lines if line.startswith("nv_inference_request_success{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in counts if 'model="tts"' in line)

    sentence = "This is one of very many sentences that nobody will ever hear, for sure. "
    text = sentence * 130
    chunks = 65
    with serve(settings) as app:
        before = spoken()

        async def leave() -> None:
            headers = app.keys.headers("tts")
            async with httpx.AsyncClient(base_url=app.url, headers=headers) as client:
                asked = asyncio.create_task(client.post(PATH, json=body(text)))
                await eventually(lambda: spoken() > before, timeout_s=20)
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)

        asyncio.run(leave())
        until(lambda: rows(settings) == [("failed", "client_disconnected")], timeout_s=5)
        with app.client() as client:
            assert 'status="499"' in client.get("/metrics").text
            assert client.post(PATH, json=body()).status_code == 200
        assert spoken() - before < chunks


def test_postgres_dies_and_no_answered_request_is_lost(
    settings: TtsSettings, serve: Any, postgres: PostgresCluster
) -> None:
    url = postgres.create_database("speechgate_tts_fault")
    with serve(settings.model_copy(update={"database_url": url})) as app, app.client() as client:
        first = client.post(PATH, json=body()).json()["id"]
        postgres.kill()
        try:
            answer = client.post(PATH, json=body("Spoken while the database is down."))
            assert answer.status_code == 200
            second = answer.json()["id"]
            stored = client.get(f"/api/v1/tts/requests/{first}")
            assert (stored.status_code, stored.json()["code"]) == (503, "database_unavailable")
            assert client.get("/ready").status_code == 200
            assert client.get("/health/detailed").json()["status"] == "degraded"
        finally:
            postgres.restart()
        for stored_id in (first, second):
            until(
                lambda stored_id=stored_id: (
                    client.get(f"/api/v1/tts/requests/{stored_id}").status_code == 200
                ),
                timeout_s=20,
            )


async def test_an_unmigrated_database_stops_the_start(
    settings: TtsSettings, tmp_path: Path
) -> None:
    app = create_app(
        settings.model_copy(
            update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/x", "database_wait_s": 0.0}
        )
    )
    with pytest.raises(SchemaOutdated):
        async with app.router.lifespan_context(app):
            pass


async def test_the_start_waits_for_a_database_that_is_down(
    settings: TtsSettings, postgres: PostgresCluster
) -> None:
    url = await asyncio.to_thread(postgres.create_database, "speechgate_tts_late")
    await asyncio.to_thread(upgrade, MIGRATIONS, url)
    app = create_app(settings.model_copy(update={"database_url": url}))
    await asyncio.to_thread(postgres.kill)
    opened = asyncio.Event()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            opened.set()

    try:
        task = asyncio.create_task(live())
        done, _ = await asyncio.wait({task}, timeout=1.5)
        assert not done
        assert not opened.is_set()
    finally:
        await asyncio.to_thread(postgres.restart)
    await asyncio.wait_for(task, 20)
    assert opened.is_set()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_and_models_agree(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/check.db"
    else:
        url = request.getfixturevalue("postgres").create_database("speechgate_tts_check")
    upgrade(MIGRATIONS, url)
    check(MIGRATIONS, url)


def test_the_command_line_migrates_serves_and_drains(settings: TtsSettings, keys: Keys) -> None:
    port = free_port()
    environment = os.environ | {
        "SPEECHGATE_PORT": str(port),
        "SPEECHGATE_DATABASE_URL": settings.database_url,
        "SPEECHGATE_SPOOL_DIR": str(settings.spool_dir),
        "SPEECHGATE_TRITON_URL": settings.triton_url,
        "SPEECHGATE_IDENTITY_PUBLIC_KEY_FILE": str(keys.public_file),
        "SPEECHGATE_TTS_MODELS": '{"default": "tts", "narrator": "tts"}',
    }
    command = [sys.executable, "-m", "services.tts"]
    subprocess.run([*command, "migrate"], env=environment, cwd=ROOT, check=True)
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            app = LiveApp("tts", f"http://127.0.0.1:{port}", keys)

            def ready() -> bool:
                try:
                    return httpx.get(f"{app.url}/ready").status_code == 200
                except httpx.TransportError:
                    return False

            until(ready, timeout_s=30)
            document = body()
            document["config"]["serviceId"] = "narrator"
            with app.client() as client:
                answer = client.post(PATH, json=document)
            assert answer.status_code == 200
            assert base64.b64decode(answer.json()["audio"][0]["audioContent"])[:4] == b"RIFF"
            process.send_signal(signal.SIGTERM)
            # uvicorn ends itself by the signal that it drained for.
            assert process.wait(30) in (0, -signal.SIGTERM)
        finally:
            process.kill()
    assert rows(settings) == [("succeeded", None)]
