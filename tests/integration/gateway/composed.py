"""A gateway over fake services, for requests that it composes of steps."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.gateway.fake_services import FakeServices
from tests.integration.gateway.harness import Installation, Program, bearer
from tests.support.flags import write_flags

NATIVE, ULCA = "/api/v1/pipeline/inference", "/services/inference/pipeline"
BOTH = pytest.mark.parametrize("path", [NATIVE, ULCA])
EN_ES = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
TASKS = [
    {"taskType": "asr", "config": {"language": {"sourceLanguage": "en"}}},
    {"taskType": "translation", "config": EN_ES},
    {"taskType": "tts", "config": {"language": {"sourceLanguage": "es"}, "gender": "male"}},
]
AUDIO = base64.b64encode(bytes(range(256)) * 40).decode()


def body(*tasks: dict[str, Any], audio: str = AUDIO, **more: Any) -> dict[str, Any]:
    return {
        "pipelineTasks": list(tasks or TASKS),
        "inputData": {"audio": [{"audioContent": audio}], "input": [{"source": None}]},
        **more,
    }


@dataclass
class Setup:
    installation: Installation
    gateway: Program
    services: FakeServices
    flags: Path
    key: str

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.gateway.url, headers=bearer(key or self.key), trust_env=False, timeout=30
        )

    def steps(self, request_id: str) -> list[dict[str, Any]]:
        """Lines of the gateway's log about a request's steps."""
        lines = [json.loads(line) for line in self.gateway.log.read_text().splitlines()]
        return [
            one for one in lines if one.get("event") == "step" and one["request_id"] == request_id
        ]


@asynccontextmanager
async def composed(folder: Path, **settings: str) -> AsyncIterator[Setup]:
    services = FakeServices()
    await services.start()
    installation = Installation(folder, f"sqlite+aiosqlite:///{folder / 'gateway.db'}")
    await asyncio.to_thread(installation.prepare)
    _, key = await installation.create_key()
    flags = write_flags(folder / "flags.json")
    gateway = installation.gateway(
        asr_urls=services.url,
        nlp_urls=services.url,
        tts_urls=services.url,
        flags_file=str(flags),
        **settings,
    )
    await asyncio.to_thread(gateway.start)
    try:
        yield Setup(installation, gateway, services, flags, key)
    finally:
        await asyncio.to_thread(gateway.stop)
        await services.stop()
