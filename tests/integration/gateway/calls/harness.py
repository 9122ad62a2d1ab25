"""What tests of calls share."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration.gateway.harness import (
    Installation,
    Program,
)

CALLS = "/api/v1/calls"
SCOPES = ("calls:read", "calls:write")


@dataclass
class Behind:
    """A gateway, and the services that it believes to have."""

    installation: Installation
    gateway: Program
    services: Program

    async def behave(self, **paths: Any) -> None:
        """Let paths that begin so answer otherwise; forget what was seen."""
        async with httpx.AsyncClient(base_url=self.services.url, trust_env=False) as direct:
            await direct.put("/behaviour", json={f"/api/v1/{k}": v for k, v in paths.items()})
            await direct.delete("/seen")

    async def tell(self, **plans: Any) -> None:
        """Change the documents that are answered."""
        async with httpx.AsyncClient(base_url=self.services.url, trust_env=False) as direct:
            await direct.put("/behaviour", json=plans)
            await direct.delete("/seen")

    async def seen(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(base_url=self.services.url, trust_env=False) as direct:
            found: list[dict[str, Any]] = (await direct.get("/seen")).json()["requests"]
            return found


async def transcribed(client: httpx.AsyncClient, content: bytes = b"audio") -> dict[str, Any]:
    answer = await client.post(f"{CALLS}/transcribe", files={"file": ("a.wav", content)})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
