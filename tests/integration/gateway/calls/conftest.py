"""A gateway with services that answer calls as a test wants, on both stacks."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.calls.harness import SCOPES, Behind
from tests.integration.gateway.conftest import make_installation
from tests.integration.gateway.harness import (
    Program,
    bearer,
    free_port,
)


@pytest.fixture(scope="session", params=["embedded", "full"])
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp(f"calls-{request.param}")
    port = free_port()
    script = str(Path(__file__).with_name("services_app.py"))
    services = Program([script, str(port)], port, folder / "services.log")
    installation = make_installation(request.param, folder, request, "gateway_calls")
    gateway = installation.gateway(
        asr_urls=services.url,
        tts_urls=services.url,
        nlp_urls=services.url,
        call_analysis_timeout_s="1",
    )
    try:
        services.start()
        gateway.start()
        yield Behind(installation, gateway, services)
        assert gateway.stop() in (0, -15)
    finally:
        gateway.kill()
        services.kill()


@pytest.fixture
async def client(behind: Behind) -> AsyncIterator[httpx.AsyncClient]:
    _, key = await behind.installation.create_key(*SCOPES)
    await behind.behave()
    async with httpx.AsyncClient(
        base_url=behind.gateway.url, headers=bearer(key), timeout=30, trust_env=False
    ) as opened:
        yield opened
