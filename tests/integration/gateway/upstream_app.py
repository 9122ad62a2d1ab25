"""A service for the gateway's tests: a real HTTP server that tells what it received.

Run as `python upstream_app.py PORT`. The query chooses how it answers, see `MODES`.
"""

import asyncio
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from urllib.parse import parse_qs

import uvicorn
from starlette.types import Receive, Scope, Send

stats = {"requests": 0, "disconnects": 0, "in_flight": 0, "connections_broken": 0}
JSON = [(b"content-type", b"application/json")]


@dataclass
class Call:
    """One request, and the query that says how to answer it."""

    scope: Scope
    receive: Receive
    send: Send
    query: dict[str, str]


async def answer(
    send: Send, body: bytes, *, status: int = 200, headers: list[tuple[bytes, bytes]] = JSON
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def read(receive: Receive) -> tuple[int, str]:
    digest, size, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            stats["disconnects"] += 1
            raise ConnectionResetError
        part = message.get("body", b"")
        digest.update(part)
        size += len(part)
        more = message.get("more_body", False)
    return size, digest.hexdigest()


async def echo(call: Call) -> None:
    size, digest = await read(call.receive)
    told = {
        "method": call.scope["method"],
        "path": call.scope["raw_path"].decode(),
        "query": call.scope["query_string"].decode(),
        "headers": [[name.decode(), value.decode()] for name, value in call.scope["headers"]],
        "size": size,
        "sha256": digest,
        "replica": sys.argv[1],
    }
    await answer(call.send, json.dumps(told).encode())


async def slow(call: Call) -> None:
    await read(call.receive)
    wait = asyncio.create_task(asyncio.sleep(float(call.query["seconds"])))
    left = asyncio.ensure_future(call.receive())
    done, _ = await asyncio.wait({wait, left}, return_when=asyncio.FIRST_COMPLETED)
    if left in done:
        stats["disconnects"] += 1
        wait.cancel()
        return
    left.cancel()
    await answer(call.send, b'{"slow":true}')


async def stream(call: Call) -> None:
    """One part, then a wait for another request to /release, then the rest."""
    await read(call.receive)
    await call.send({"type": "http.response.start", "status": 200, "headers": []})
    await call.send({"type": "http.response.body", "body": b"first", "more_body": True})
    released.clear()
    await released.wait()
    await call.send({"type": "http.response.body", "body": b"second"})


async def big(call: Call) -> None:
    await read(call.receive)
    await call.send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(int(call.query["blocks"])):
        await call.send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
    await call.send({"type": "http.response.body", "body": b""})


async def half(call: Call) -> None:
    """Break the connection in the middle of the answer."""
    await read(call.receive)
    headers = [(b"content-length", b"100")] if call.query.get("framing") == "length" else []
    await call.send({"type": "http.response.start", "status": 200, "headers": headers})
    await call.send({"type": "http.response.body", "body": b"x" * 50, "more_body": True})
    await asyncio.sleep(0.05)
    # Returning without the last part makes uvicorn close the connection.


async def drop(_: Call) -> None:
    os._exit(1)


async def status(call: Call) -> None:
    await read(call.receive)
    headers = [*JSON, (b"retry-after", b"7"), (b"x-sg-inside", b"1"), (b"connection", b"x-hop")]
    headers += [(b"x-hop", b"1"), (b"content-encoding", b"gzip")] if call.query.get("gzip") else []
    await answer(call.send, b'{"code":"own"}', status=int(call.query["status"]), headers=headers)


MODES = {
    "echo": echo,
    "slow": slow,
    "stream": stream,
    "big": big,
    "half": half,
    "drop": drop,
    "status": status,
}
released = asyncio.Event()
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "x", "version": "1"},
    "paths": {
        "/api/v1/asr/inference": {
            "post": {"summary": "Transcribe", "responses": {"200": {"description": "ok"}}}
        },
        "/secret": {"get": {"responses": {}}},
    },
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/health":
        await answer(send, b'{"status":"ok"}')
    elif scope["path"] == "/stats":
        await answer(send, json.dumps(stats).encode())
    elif scope["path"] == "/release":
        released.set()
        await answer(send, b"{}")
    elif scope["path"] == "/openapi.json":
        identified = any(name == b"x-sg-identity" for name, _ in scope["headers"])
        await answer(send, json.dumps(OPENAPI).encode(), status=200 if identified else 401)
    else:
        query = {k: v[0] for k, v in parse_qs(scope["query_string"].decode()).items()}
        stats["requests"] += 1
        stats["in_flight"] += 1
        try:
            await MODES[query.get("mode", "echo")](Call(scope, receive, send, query))
        except ConnectionResetError:
            return
        finally:
            stats["in_flight"] -= 1


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        lifespan="off",
        log_level="critical",
        http="httptools",
    )
