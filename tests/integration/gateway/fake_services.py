"""Services that recognize, translate and speak by a rule, and fail as told."""

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

PATHS = {
    "/api/v1/asr/inference": "asr",
    "/api/v1/nmt/inference": "nmt",
    "/api/v1/tts/inference": "tts",
}
STREAM = "/api/v1/asr/stream"


@dataclass
class Call:
    """One request as it came."""

    task: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


@dataclass
class FakeServices:
    """All three behind one address.

    Attributes:
        faults: By task: a status to answer with, or seconds to wait.
        wait: By task: answers wait for the event.
    """

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    wait: dict[str, asyncio.Event] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    starts: list[dict[str, Any]] = field(default_factory=list)
    brought: int = 0
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**27)
        app.router.add_get("/health", self.health)
        app.router.add_get(STREAM, self.stream)
        for path in PATHS:
            app.router.add_post(path, self.infer)
        self.runner = web.AppRunner(app, handler_cancellation=True)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self.runner is not None
        await self.runner.cleanup()

    def reset(self) -> None:
        self.calls.clear()
        self.faults.clear()
        self.wait.clear()
        self.left.clear()
        self.starts.clear()

    async def health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def infer(self, request: web.Request) -> web.Response:
        task = PATHS[request.path]
        self.calls.append(Call(task, _headers(request), await request.read()))
        try:
            if task in self.wait:
                await self.wait[task].wait()
        except asyncio.CancelledError:
            self.left.append(task)
            raise
        if task in self.faults:
            problem = {"code": f"{task}_fault", "detail": "As told.", "status": self.faults[task]}
            return web.json_response(problem, status=self.faults[task])
        used = {"x-sg-model-used": "default"}
        return web.json_response(getattr(self, task)(self.calls[-1].document), headers=used)

    def asr(self, body: Any) -> Any:
        """`hello 3` of three characters of base64; nothing of silence."""
        texts = [f"hello {len(one['audioContent'])}" for one in body["audio"]]
        output = [{"source": text, "words": []} for text in texts]
        return {"id": "a" * 32, "taskType": "asr", "output": output, "config": body["config"]}

    def nmt(self, body: Any) -> Any:
        output = [
            {"source": one["source"], "target": f"<{one['source']}>"} for one in body["input"]
        ]
        return {"id": "b" * 32, "taskType": "translation", "output": output}

    def tts(self, body: Any) -> Any:
        def sound(text: str) -> str:
            return base64.b64encode(text.encode() * 2_000).decode()

        audio = [
            {"audioContent": sound(one["source"]), "audioUri": None, "duration": 1.5}
            for one in body["input"]
        ]
        config = {"audioFormat": "wav", "samplingRate": 22_050}
        return {"id": "c" * 32, "taskType": "tts", "audio": audio, "config": config}

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """A final for each binary message, with the text in it; `break` breaks off."""
        self.calls.append(Call("stream", _headers(request), b""))
        socket = web.WebSocketResponse(max_msg_size=2**24)
        await socket.prepare(request)
        start = await socket.receive_json()
        self.starts.append(start)
        if start["language"] == "xx":
            await socket.send_json(
                {"type": "error", "code": "unsupported_language", "detail": "No"}
            )
            await socket.close(code=1008)
            return socket
        await socket.send_json({"type": "ready", "session_id": "s", "samples": 0})
        number = 0
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.brought += len(message.data)
                text = message.data[:50].decode()
                if text == "break":
                    assert request.transport is not None
                    request.transport.abort()
                    break
                final = {"type": "final", "text": text, "start": number, "end": number + 1}
                await socket.send_json(final | {"words": [], "confidence": 1, "samples": number})
                number += 1
            elif json.loads(message.data)["type"] == "stop":
                await socket.send_json({"type": "done", "duration": number, "usage": {}, "id": "d"})
                await socket.close(code=1000)
        return socket
