"""From an upload to an analyzed call, and what may be missing of it."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from deploy.local.postgres import PostgresCluster
from shared.db.engine import create_engine
from tests.integration.gateway.calls.harness import CALLS, Behind, transcribed
from tests.integration.gateway.harness import (
    problem,
)
from tests.support.poll import eventually


async def test_a_call_has_all_parts_under_one_id(behind: Behind, client: httpx.AsyncClient) -> None:
    call = await transcribed(client)

    assert (call["status"], call["degraded"]) == ("complete", [])
    assert (call["title"], call["agent_name"]) == ("A call", "Ann")
    roles = {one["speaker"]: one["role"] for one in call["transcript"]["speakers"]}
    assert roles == {"SPEAKER_00": "agent", "SPEAKER_01": "customer"}
    assert [one["sentiment"]["label"] for one in call["transcript"]["segments"]] == ["neutral"] * 2
    assert call["sentiment"] == {"label": "positive", "score": 0.5}
    assert call["moments"][0]["advice"] == "Ask a question."
    assert call["recording"]["seconds"] == 4.0
    assert set(call["timings"]) == {"transcribe_ms", "analyze_ms", "total_ms"}

    recognized, analyzed = await behind.seen()
    assert recognized["path"] == "/api/v1/asr/calls"
    asked = json.loads(analyzed["body"])
    assert asked["roles"] == roles
    assert [one["text"] for one in asked["segments"]] == ["good morning", "yes please"]
    # One request, one trace: each step has a span of its own.
    ids = {one["headers"]["x-request-id"] for one in (recognized, analyzed)}
    parents = [one["headers"]["traceparent"].split("-") for one in (recognized, analyzed)]
    assert len(ids) == 1
    assert parents[0][1] == parents[1][1]
    assert parents[0][2] != parents[1][2]
    assert int(analyzed["headers"]["x-sg-timeout-ms"]) <= 1000

    again = (await client.get(f"{CALLS}/{call['call_id']}")).json()
    assert {**again, "timings": None} == {**call, "timings": None}
    page = (await client.get(CALLS, params={"limit": 1})).json()
    assert page["items"][0]["call_id"] == call["call_id"]
    assert "transcript" not in page["items"][0]


async def test_every_line_of_a_step_carries_the_call(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    headers = {"x-request-id": "lines-of-a-call"}
    answer = await client.post(
        f"{CALLS}/transcribe", files={"file": ("a.wav", b"audio")}, headers=headers
    )

    def lines() -> list[dict[str, Any]]:
        written = behind.gateway.log.read_text().splitlines()
        found = [json.loads(line) for line in written if "lines-of-a-call" in line]
        return [line for line in found if line["event"] in ("step", "request")]

    await eventually(lambda: len(lines()) == 3)
    assert {line["call_id"] for line in lines()} == {answer.json()["call_id"]}
    assert len({line["trace_id"] for line in lines()}) == 1
    assert "good morning" not in behind.gateway.log.read_text()


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"status": 503, "code": "model_unavailable"}, "model_unavailable"),
        ({"status": 500, "code": "internal_error"}, "internal_error"),
        ({"status": 422, "code": "unsupported_language"}, "unsupported_language"),
        ({"wait_s": 3}, "upstream_timeout"),
    ],
)
async def test_without_an_analysis_the_transcript_arrives(
    behind: Behind, client: httpx.AsyncClient, plan: dict[str, Any], reason: str
) -> None:
    await behind.behave(nlp=plan)
    call = await transcribed(client)
    assert call["degraded"] == [{"step": "analysis", "reason": reason}]
    assert call["status"] == "degraded"
    assert (call["sentiment"], call["metrics"], call["moments"]) == (None, None, None)
    assert [one["sentiment"] for one in call["transcript"]["segments"]] == [None, None]
    path = f"{CALLS}/{call['call_id']}"
    await behind.behave()
    again = (await client.get(path)).json()
    assert again["degraded"] == call["degraded"]
    assert again["moments"] is None
    refused = await client.post(f"{path}/replay")
    assert (refused.status_code, problem(refused)["code"]) == (409, "call_not_analyzed")


async def test_without_speakers_no_moment_is_made_up(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    nobody = [{"start": 0, "end": 1, "text": "hi", "confidence": 1.0, "speaker": None}] * 2
    lacking = {"step": "diarization", "reason": "model_unavailable"}
    await behind.tell(
        heard={"transcript": {"segments": nobody, "speakers": None}, "degraded": [lacking]}
    )
    call = await transcribed(client)
    assert call["degraded"] == [lacking, {"step": "moments", "reason": "no_speakers"}]
    assert (call["moments"], call["metrics"]) == (None, None)
    assert call["sentiment"]["label"] == "positive"
    again = (await client.get(f"{CALLS}/{call['call_id']}")).json()
    assert (again["moments"], again["metrics"]) == (None, None)


async def test_a_silent_call_is_whole(behind: Behind, client: httpx.AsyncClient) -> None:
    await behind.tell(heard={"transcript": {"segments": [], "speakers": [], "text": ""}})
    call = await transcribed(client)
    assert (call["status"], call["moments"], call["sentiment"]) == ("complete", [], None)
    assert [one["path"] for one in await behind.seen()] == ["/api/v1/asr/calls"]
    path = f"{CALLS}/{call['call_id']}"
    assert (await client.get(path)).json()["moments"] == []
    assert problem(await client.post(f"{path}/replay"))["code"] == "moment_not_found"


async def test_what_may_not_be_stored_is_answered_once(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    await behind.tell(heard={"data_tracking": False})
    call = await transcribed(client)
    assert call["status"] == "complete"
    assert call["agent_name"] == "Ann"
    assert json.loads((await behind.seen())[1]["body"])["controlConfig"] == {"dataTracking": False}
    path = f"{CALLS}/{call['call_id']}"
    again = (await client.get(path)).json()
    assert (again["agent_name"], again["transcript"], again["moments"]) == (None, None, None)
    assert again["degraded"] == [
        {"step": "transcript", "reason": "not_stored"},
        {"step": "analysis", "reason": "not_stored"},
    ]
    assert problem(await client.post(f"{path}/replay"))["code"] == "call_not_analyzed"


async def test_without_a_transcript_there_is_no_call(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    more = {"errors": [{"pointer": "/title", "detail": "too long"}]}
    await behind.behave(asr={"status": 422, "code": "validation_failed", "more": more})
    answer = await client.post(f"{CALLS}/transcribe", files={"file": b"audio"})
    told = problem(answer)
    assert (answer.status_code, told["code"]) == (422, "validation_failed")
    assert told["errors"] == more["errors"]
    assert told["instance"] == f"{CALLS}/transcribe"
    await behind.behave(asr={"status": 503, "code": "asr_saturated"})
    answer = await client.post("/transcribe", files={"file": b"audio"})
    assert (answer.status_code, problem(answer)["code"]) == (503, "asr_saturated")


async def test_without_its_table_the_transcript_arrives(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    await _statement(behind, "ALTER TABLE calls RENAME TO calls_away")
    try:
        call = await transcribed(client)
    finally:
        await _statement(behind, "ALTER TABLE calls_away RENAME TO calls")
    # SQLite has one kind of error for a table and for a file that is not there.
    reason = call["degraded"][0]["reason"]
    assert call["degraded"] == [{"step": "storage", "reason": reason}]
    assert reason in {"internal_error", "database_unavailable"}
    assert call["moments"]
    assert problem(await client.get(f"{CALLS}/{call['call_id']}"))["code"] == "call_not_found"


async def test_without_a_database_the_transcript_arrives(
    behind: Behind, client: httpx.AsyncClient, request: pytest.FixtureRequest
) -> None:
    url = behind.installation.database_url
    if url.startswith("sqlite"):
        return  # A file does not go away; the test above is the same for it.
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = url.rpartition("/")[2]
    await transcribed(client)  # From now on Redis knows the key.
    cluster.query(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", "postgres")
    try:
        ended = f"pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        cluster.query(f"SELECT {ended}", "postgres")
        call = await transcribed(client)
        listed = await client.get(CALLS)
    finally:
        cluster.query(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true", "postgres")
    assert call["degraded"] == [{"step": "storage", "reason": "database_unavailable"}]
    assert call["transcript"]["text"]
    assert (listed.status_code, problem(listed)["code"]) == (503, "database_unavailable")


async def _statement(behind: Behind, statement: str) -> None:
    engine = create_engine(behind.installation.database_url, pool_size=1)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()
