"""Without a receiver, the gateway loads no tracing library and serves by its plain exchanges."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.proxy.exchange import Exchange
from gateway.proxy.traced import TracedExchange, kinds_of

_FRAMEWORK = """
import gateway.startup.kept_out
import fastapi, fastapi.telemetry._runtime
"""
_LOADED = """
import sys
loaded = [name for name, module in sys.modules.items() if module is not None]
print(*(name for name in loaded if name.startswith("opentelemetry")))
"""
_START = """
import asyncio
import gateway.startup.kept_out
import gateway.lifespan, gateway.main, gateway.__main__
from gateway.settings import GatewaySettings
from shared.metrics import Metrics
from shared.telemetry.opening import open_tracer

settings = GatewaySettings()
app = gateway.main.create_app(settings)

async def start():
    async with open_tracer("gateway", settings, Metrics("gateway")) as tracer:
        assert tracer is None

asyncio.run(start())
"""


def loaded(program: str, folder: Path) -> set[str]:
    """Modules of OpenTelemetry that a program has loaded at its end."""
    env = {
        "PATH": "/usr/bin:/bin",
        "SPEECHGATE_DATABASE_URL": "sqlite+aiosqlite://",
        "SPEECHGATE_KEY_PEPPER_FILE": str(folder / "pepper"),
        "SPEECHGATE_IDENTITY_PRIVATE_KEY_FILE": str(folder / "identity.pem"),
        # What a cluster puts into every container turns nothing on.
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
    }
    finished = subprocess.run(
        [sys.executable, "-c", program + _LOADED],
        cwd=Path(__file__).parents[3],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


def test_nothing_of_the_library_is_loaded_beyond_what_the_framework_loads(tmp_path: Path) -> None:
    framework = loaded(_FRAMEWORK, tmp_path)
    gateway = loaded(_START, tmp_path)
    assert gateway <= framework, gateway - framework
    parts = {".".join(name.split(".")[:2]) for name in gateway}
    assert not parts & {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto"}


@pytest.mark.parametrize("traced", [False, True])
def test_exchanges_make_spans_only_where_there_is_a_tracer(*, traced: bool) -> None:
    context = SimpleNamespace(tracer=object() if traced else None)
    kinds = kinds_of(context)  # type: ignore[arg-type]
    assert kinds.request is (TracedExchange if traced else Exchange)
    assert all(issubclass(kind, TracedExchange) == traced for kind in kinds)
