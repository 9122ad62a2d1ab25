"""The three services as calls see them: answers that a test can change.

Run as `python calls_upstream.py PORT`. `PUT /behaviour` takes `{path: {"status", "code"}}`,
the path by its begin; `GET /seen` tells the requests, `DELETE /seen` forgets them.
"""

import asyncio
import hashlib
import json
import sys
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

TRANSCRIPT = {
    "text": "good morning yes please",
    "confidence": 0.9,
    "duration": 4.0,
    "segments": [
        {
            "start": 0.0,
            "end": 1.5,
            "text": "good morning",
            "confidence": 0.9,
            "channel": None,
            "speaker": "SPEAKER_00",
        },
        {
            "start": 2.0,
            "end": 4.0,
            "text": "yes please",
            "confidence": 0.9,
            "channel": None,
            "speaker": "SPEAKER_01",
        },
    ],
    "words": None,
    "speakers": [
        {"speaker": "SPEAKER_00", "speech_seconds": 1.5, "identity": None, "known": None},
        {"speaker": "SPEAKER_01", "speech_seconds": 2.0, "identity": None, "known": None},
    ],
}
RECORDING = {"seconds": 4.0, "expires_at": "2999-01-01T00:00:00Z"}
MOMENT = {
    "rule_id": "monologue",
    "rule_version": "builtin-1",
    "severity": "warning",
    "speaker": "SPEAKER_00",
    "segment": 0,
    "start": 0.0,
    "end": 1.5,
    "quote": "good morning",
    "advice": "Ask a question.",
    "evidence": {"seconds": 1.5},
}
behaviour: dict[str, dict[str, Any]] = {}
seen: list[dict[str, Any]] = []


def heard() -> dict[str, Any]:
    plan = behaviour.get("heard", {})
    return {
        "id": "a" * 32,
        "language": "en",
        "transcript": {**TRANSCRIPT, **plan.get("transcript", {})},
        "recording": RECORDING,
        "degraded": plan.get("degraded", []),
        "audio_seconds": 4.0,
        "metadata": {
            "title": "A call",
            "external_id": None,
            "agent_name": "Ann",
            "customer_name": None,
            "agent_channel": None,
            "first_speaker": "agent",
        },
        "data_tracking": plan.get("data_tracking", True),
        "timings": {},
    }


def judged() -> dict[str, Any]:
    return {
        "id": "b" * 32,
        "sentiment": {"label": "positive", "score": 0.5},
        "segments": [
            {**one, "sentiment": {"label": "neutral", "score": 0.0}}
            for one in TRANSCRIPT["segments"]  # type: ignore[union-attr] # a list
        ],
        "language": "en",
        "rules": {"version": "builtin-1"},
        "roles": [{"speaker": "SPEAKER_01", "role": "customer", "source": "guessed"}],
        "degraded": behaviour.get("judged", {}).get("degraded", []),
        "skipped": [],
        "metrics": {"talk_ratio": {"SPEAKER_00": 0.4}},
        "moments": behaviour.get("judged", {}).get("moments", [MOMENT]),
    }


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    method, path = scope["method"], scope["path"]
    if path == "/health":
        await reply(send, 200, {"status": "ok"})
        return
    size, digest, body = 0, hashlib.sha256(), b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            note(scope, 499, size, "", b"")
            return
        part = message.get("body", b"")
        size += len(part)
        digest.update(part)
        if len(body) < 1 << 20:
            body += part
        if not message.get("more_body", False):
            break
    if path == "/behaviour":
        behaviour.clear()
        behaviour.update(json.loads(body))
        await reply(send, 200, {})
    elif path == "/seen":
        await reply(send, 200, {"requests": seen})
        if method == "DELETE":
            seen.clear()
    else:
        note(scope, 0, size, digest.hexdigest(), body)
        await answer(scope, send)


def note(scope: Scope, status: int, size: int, digest: str, body: bytes) -> None:
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    seen.append(
        {
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "size": size,
            "sha256": digest,
            "query": scope["query_string"].decode(),
            "headers": headers,
            "body": body[:4096].decode("latin-1"),
        }
    )


async def answer(scope: Scope, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    plan = next((found for name, found in behaviour.items() if path.startswith(name)), {})
    if plan.get("wait_s"):
        await asyncio.sleep(plan["wait_s"])
    if plan.get("status"):
        document = {"code": plan["code"], "detail": "As the test wants.", "status": plan["status"]}
        await reply(send, plan["status"], {**document, **plan.get("more", {})})
    elif method == "DELETE":
        await reply(send, 204, None)
    elif path.startswith("/api/v1/asr") and path.endswith("/replay"):
        await reply(send, 200, b"advice and clip", "audio/flac")
    elif path.endswith("/speak"):
        await reply(send, 200, b"advice", "audio/wav")
    elif path.startswith("/api/v1/asr/calls"):
        await reply(send, 200, heard())
    else:
        await reply(send, 200, judged())


async def reply(
    send: Send, status: int, content: Any, media_type: str = "application/json"
) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    body = b"" if content is None else body
    headers = [(b"content-type", media_type.encode())]
    headers += [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="critical",
        http="httptools",
    )
