"""Stored calls: read, replayed, listed, deleted, and whose they are."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.integration.gateway.calls.harness import CALLS, SCOPES, Behind, transcribed
from tests.integration.gateway.harness import (
    bearer,
    problem,
)
from tests.support.poll import eventually


async def test_a_call_is_read_as_far_as_its_services_answer(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    call = await transcribed(client)
    path = f"{CALLS}/{call['call_id']}"
    await behind.behave(asr={"status": 503, "code": "down"})
    found = (await client.get(path)).json()
    assert found["degraded"] == [{"step": "transcript", "reason": "down"}]
    assert found["transcript"] is None
    assert found["moments"] == call["moments"]
    await behind.behave(nlp={"wait_s": 3})
    found = (await client.get(path)).json()
    assert found["degraded"] == [{"step": "analysis", "reason": "upstream_timeout"}]
    assert found["moments"] is None
    assert found["transcript"]["text"] == call["transcript"]["text"]


async def test_a_moment_is_spoken_with_its_clip_or_without(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    call_id = (await transcribed(client))["call_id"]
    await behind.behave()
    spoken = await client.post(f"{CALLS}/{call_id}/replay", json={"format": "mp3", "speed": 1.5})
    assert (spoken.content, spoken.headers["content-type"]) == (b"advice", "audio/wav")
    assert spoken.headers["x-call-id"] == call_id
    asked = json.loads((await behind.seen())[-1]["body"])
    assert asked == {"text": "Ask a question.", "language": "en", "format": "mp3", "speed": 1.5}

    wish = {"call_id": call_id, "include_clip": True, "format": "flac", "pause": 1.0}
    both = await client.post("/replay", json=wish)
    assert (both.content, both.headers["content-type"]) == (b"advice and clip", "audio/flac")
    assert "x-degraded" not in both.headers
    joined = (await behind.seen())[-1]
    assert joined["query"] == "start=0.0&end=1.5&pause=1.0&audio_format=flac"
    assert joined["body"] == "advice"

    gone = {"status": 404, "code": "recording_not_found"}
    await behind.behave(**{f"asr/calls/{'a' * 32}/replay": gone})
    alone = await client.post("/replay", json=wish)
    assert (alone.status_code, alone.content) == (200, b"advice")
    assert alone.headers["x-degraded"] == "clip=recording_not_found"

    await behind.behave(speak={"status": 503, "code": "inference_unavailable"})
    refused = await client.post("/replay", json=wish)
    assert (refused.status_code, problem(refused)["code"]) == (503, "inference_unavailable")
    assert (await client.get(f"{CALLS}/{call_id}")).status_code == 200

    missing = await client.post(f"{CALLS}/{call_id}/replay", json={"moment": 1})
    assert (missing.status_code, problem(missing)["code"]) == (404, "moment_not_found")


async def test_a_call_is_deleted_everywhere_or_nowhere(
    behind: Behind, client: httpx.AsyncClient
) -> None:
    path = f"{CALLS}/{(await transcribed(client))['call_id']}"
    await behind.behave(nlp={"status": 503, "code": "database_unavailable"})
    refused = await client.delete(path)
    assert (refused.status_code, problem(refused)["code"]) == (503, "database_unavailable")
    # What is gone already is no failure: a deletion can be asked for again.
    await behind.behave(asr={"status": 404, "code": "request_not_found"})
    assert (await client.delete(path)).status_code == 204
    deleted = [one["path"] for one in await behind.seen() if one["method"] == "DELETE"]
    assert len(deleted) == 2
    assert problem(await client.get(path))["code"] == "call_not_found"
    assert problem(await client.delete(path))["code"] == "call_not_found"


async def test_who_deletes_a_call_that_is_being_analyzed_deletes_it_whole(
    behind: Behind,
) -> None:
    await behind.behave(**{"nlp/conversation/inference": {"wait_s": 0.8}})
    _, key = await behind.installation.create_key(*SCOPES, tenant="hasty")
    async with httpx.AsyncClient(
        base_url=behind.gateway.url, headers=bearer(key), trust_env=False
    ) as hasty:
        making = asyncio.create_task(transcribed(hasty))

        async def listed() -> bool:
            return bool((await hasty.get(CALLS)).json()["items"])

        await eventually(listed)
        unfinished = (await hasty.get(CALLS)).json()["items"][0]
        assert unfinished["degraded"] == [{"step": "analysis", "reason": "unfinished"}]
        path = f"{CALLS}/{unfinished['call_id']}"
        assert (await hasty.delete(path)).status_code == 204
        made = await making
        assert made["degraded"] == [{"step": "storage", "reason": "call_not_found"}]
        assert (await hasty.get(CALLS)).json()["items"] == []
    erased = [one["path"] for one in await behind.seen() if one["method"] == "DELETE"]
    assert f"/api/v1/nlp/conversation/{'b' * 32}" in erased


async def test_another_tenants_call_is_not_there(behind: Behind, client: httpx.AsyncClient) -> None:
    mine = (await transcribed(client))["call_id"]
    await behind.behave()
    _, key = await behind.installation.create_key(*SCOPES, tenant="stranger")
    async with httpx.AsyncClient(
        base_url=behind.gateway.url, headers=bearer(key), trust_env=False
    ) as stranger:
        answers = [
            await stranger.request(method, f"{CALLS}/{call_id}{more}")
            for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/replay"))
            for call_id in (mine, "0" * 32)
        ]
        answers.append(await stranger.post("/replay", json={"call_id": mine}))
        assert (await stranger.get(CALLS)).json()["items"] == []
    told = {json.dumps({**problem(a), "instance": "", "request_id": ""}) for a in answers}
    assert len(told) == 1
    assert {a.status_code for a in answers} == {404}
    assert await behind.seen() == []


async def test_pages_have_every_call_once(behind: Behind) -> None:
    _, key = await behind.installation.create_key(*SCOPES, tenant="pages")
    async with httpx.AsyncClient(
        base_url=behind.gateway.url, headers=bearer(key), timeout=30, trust_env=False
    ) as client:
        made = [(await transcribed(client))["call_id"] for _ in range(5)]
        found, cursor = list[str](), None
        while True:
            params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await client.get(CALLS, params=params)).json()
            found += [one["call_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
    assert found == made[::-1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"moment": -1}, "validation_failed"),
        ({"moment": "0"}, "validation_failed"),
        ({"include_clip": 1}, "validation_failed"),
        ({"clip_seconds": 0}, "validation_failed"),
        ({"clip_seconds": 121}, "validation_failed"),
        ({"pause": -1}, "validation_failed"),
        ({"language": "english"}, "validation_failed"),
        ({"voice": "../x"}, "validation_failed"),
        ({"format": "a b"}, "validation_failed"),
        ({"sampling_rate": 7_999}, "validation_failed"),
        ({"unknown": 1}, "validation_failed"),
        ([], "invalid_json"),
        ("{", "invalid_json"),
    ],
)
async def test_bad_replays(behind: Behind, client: httpx.AsyncClient, body: Any, code: str) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = await client.post(f"{CALLS}/{'0' * 32}/replay", content=content)
    assert 400 <= answer.status_code < 500
    assert problem(answer)["code"] == code
    assert problem(await client.post("/replay", content=content))["code"] == code
    assert await behind.seen() == []
