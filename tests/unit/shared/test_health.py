"""What a process exports of its dependencies, and of itself."""

import asyncio
import platform
import re
import time
from pathlib import Path

from prometheus_client import generate_latest

from shared import health as health_module
from shared.health import Health
from shared.metrics import Metrics
from shared.version import VERSION
from tests.support.logs import logged_by
from tests.support.poll import eventually

ROOT = Path(__file__).parents[3]


class Dependency:
    def __init__(self) -> None:
        self.failing = False
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.failing:
            raise ConnectionRefusedError


def exported(metrics: Metrics) -> dict[str, float]:
    text = generate_latest(metrics.registry).decode()
    found = re.findall(r'speechgate_dependency_up\{dependency="(\w+)"\} (\S+)', text)
    return {name: float(value) for name, value in found}


async def test_dependencies_are_exported_while_nobody_asks() -> None:
    metrics, health, dependency = Metrics("asr"), Health("0"), Dependency()
    health.add("engine", dependency.check, critical=True, dependency="triton")
    health.add("inner", dependency.check, critical=True)
    async with health.watching(metrics, 0.02):
        await eventually(lambda: exported(metrics) == {"triton": 1.0})
        dependency.failing = True
        await eventually(lambda: exported(metrics) == {"triton": 0.0})
        dependency.failing = False
        await eventually(lambda: exported(metrics) == {"triton": 1.0})
    asked = dependency.asked
    await asyncio.sleep(0.05)
    assert dependency.asked == asked


async def test_a_probe_of_somebody_else_spares_a_look() -> None:
    metrics, health, dependency = Metrics("asr"), Health("0"), Dependency()
    health.add("engine", dependency.check, critical=True, dependency="triton")
    async with health.watching(metrics, 0.3):
        await eventually(lambda: dependency.asked == 1)
        deadline = time.monotonic() + 0.9
        probes = 0
        while time.monotonic() < deadline:
            await health.report()
            probes += 1
            await asyncio.sleep(0.05)
        assert dependency.asked == probes + 1


async def test_a_state_is_logged_when_it_changes() -> None:
    health, dependency = Health("0"), Dependency()
    health.add("engine", dependency.check, critical=True)
    with logged_by(health_module) as logs:
        for failing in (False, True, True, True, False, False):
            dependency.failing = failing
            await health.report()
    assert [line["event"] for line in logs] == [
        "dependency check failed",
        "dependency check works again",
    ]


async def test_a_report_has_the_time_by_which_clocks_are_compared() -> None:
    before = time.time()
    assert before - 0.001 <= (await Health("0").report())["time"] <= time.time() + 0.001


def test_what_runs_is_exported() -> None:
    text = generate_latest(Metrics("asr").registry).decode()
    labels = f'python="{platform.python_version()}",service="asr",version="{VERSION}"'
    assert f"speechgate_build_info{{{labels}}} 1.0" in text


def test_the_version_is_that_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert f'\nversion = "{VERSION}"\n' in project


def test_services_do_not_count_by_plan() -> None:
    metrics = Metrics("asr")
    metrics.started()
    metrics.finished("GET", "/x", 200, 0.1)
    assert "plan=" not in generate_latest(metrics.registry).decode()
