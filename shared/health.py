"""`/health`, `/health/detailed`, `/ready` and `/metrics`, alike in every process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import Gauge

from shared.logging import get_logger
from shared.metrics import METRICS_MEDIA_TYPE, Metrics

Check = Callable[[], Awaitable[None]]
WATCH_S = 10.0
"""Between two looks at dependencies whose state is exported."""
_OBJECT = {"application/json": {"schema": {"type": "object"}}}
_logger = get_logger(__name__)


@dataclass(slots=True)
class _Check:
    """A dependency's check, and what came of it last.

    Attributes:
        exported: Name in `speechgate_dependency_up`; None where something else exports it.
    """

    check: Check
    critical: bool
    exported: str | None
    failing: bool = False
    looked_at: float = float("-inf")


@dataclass(slots=True)
class Health:
    """The dependencies of a process, and whether it takes requests.

    A check returns when the dependency works and raises when it does not. A critical one that
    fails makes the process unready.

    Attributes:
        started: Set by the lifespan when everything is open.
        draining: Set at SIGTERM; load balancers then look elsewhere.
        drains: What then ends, and in which order, while connections are still open.
    """

    version: str
    check_timeout_s: float = 2.0
    started: bool = False
    draining: bool = False
    drains: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    _checks: dict[str, _Check] = field(default_factory=dict)
    _gauge: Gauge | None = None

    def add(
        self, name: str, check: Check, *, critical: bool, dependency: str | None = None
    ) -> None:
        """Register a dependency.

        Args:
            name: In the report.
            check: Raises when it does not work.
            critical: Whether the process is of no use without it.
            dependency: Its name in `speechgate_dependency_up`; None leaves it out.
        """
        self._checks[name] = _Check(check, critical, dependency)

    @asynccontextmanager
    async def watching(self, metrics: Metrics, interval_s: float = WATCH_S) -> AsyncIterator[None]:
        """Export the state of dependencies, also while nobody asks for it.

        Args:
            metrics: Of the process.
            interval_s: Longest age of what is exported; a probe's look is as good as an own one.
        """
        self._gauge = metrics.dependency_up
        task = asyncio.create_task(self._watch(interval_s), name="health")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._gauge = None

    async def _watch(self, interval_s: float) -> None:
        while True:
            old = time.monotonic() - 0.9 * interval_s
            exported = [name for name, one in self._checks.items() if one.exported]
            due = [name for name in exported if self._checks[name].looked_at <= old]
            await asyncio.gather(*(self._run(name) for name in due))
            await asyncio.sleep(interval_s)

    async def _run(self, name: str) -> dict[str, Any]:
        one = self._checks[name]
        started = time.perf_counter()
        result: dict[str, Any] = {"status": "ok", "critical": one.critical}
        failure: Exception | None = None
        try:
            async with asyncio.timeout(self.check_timeout_s):
                await one.check()
        except Exception as error:  # noqa: BLE001 - whatever a dependency raises is its failure
            failure = error
            # The class alone: messages of drivers name hosts, users and paths.
            result |= {"status": "error", "error": type(error).__name__}
        self._note(name, one, failure)
        result["duration_ms"] = round((time.perf_counter() - started) * 1000, 1)
        return result

    def _note(self, name: str, one: _Check, failure: Exception | None) -> None:
        """Log what has changed, and export what is."""
        if failure is not None and not one.failing:
            _logger.warning(
                "dependency check failed", dependency=name, error=type(failure).__name__
            )
        elif failure is None and one.failing:
            _logger.info("dependency check works again", dependency=name)
        one.failing = failure is not None
        one.looked_at = time.monotonic()
        if self._gauge is not None and one.exported is not None:
            self._gauge.labels(one.exported).set(0 if one.failing else 1)

    async def report(self) -> dict[str, Any]:
        """The state of every dependency, checked now and in parallel."""
        results = await asyncio.gather(*(self._run(name) for name in self._checks))
        checks = dict(zip(self._checks, results, strict=True))
        failed = [check for check in checks.values() if check["status"] != "ok"]
        if any(check["critical"] for check in failed) or not self.started:
            status = "error"
        else:
            status = "degraded" if failed else "ok"
        # By the time, `speechgate doctor` compares clocks.
        now = round(time.time(), 3)
        return {"status": status, "version": self.version, "time": now, "checks": checks}


def health_router(health: Health, metrics: Metrics) -> APIRouter:
    """The infrastructure routes; they need no identity."""
    router = APIRouter(tags=["Infrastructure"])

    @router.get("/health", summary="Liveness: the process answers")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    down: dict[int | str, dict[str, Any]] = {
        200: {"description": "Requests are served", "content": _OBJECT},
        503: {"description": "Requests cannot be served now", "content": _OBJECT},
    }

    @router.get("/health/detailed", summary="Each dependency, checked now", responses=down)
    async def detailed() -> JSONResponse:
        report = await health.report()
        return JSONResponse(report, 503 if report["status"] == "error" else 200)

    @router.get("/ready", summary="Readiness: requests may be sent here", responses=down)
    async def ready() -> JSONResponse:
        if health.draining:
            return JSONResponse({"status": "draining"}, 503)
        report = await health.report()
        usable = report["status"] != "error"
        return JSONResponse({"status": "ready" if usable else "unready"}, 200 if usable else 503)

    @router.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def exposition() -> Response:
        return Response(metrics.render(), media_type=METRICS_MEDIA_TYPE)

    return router
