"""`/health`, `/health/detailed`, `/ready` and `/metrics`, alike in every process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from shared.logging import get_logger
from shared.metrics import METRICS_MEDIA_TYPE, Metrics

Check = Callable[[], Awaitable[None]]
_OBJECT = {"application/json": {"schema": {"type": "object"}}}
_logger = get_logger(__name__)


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
    _checks: dict[str, tuple[Check, bool]] = field(default_factory=dict)

    def add(self, name: str, check: Check, *, critical: bool) -> None:
        """Register a dependency."""
        self._checks[name] = (check, critical)

    async def _run(self, name: str) -> dict[str, Any]:
        check, critical = self._checks[name]
        started = time.perf_counter()
        result: dict[str, Any] = {"status": "ok", "critical": critical}
        try:
            async with asyncio.timeout(self.check_timeout_s):
                await check()
        except Exception as error:  # noqa: BLE001 - whatever a dependency raises is its failure
            _logger.warning("dependency check failed", dependency=name, error=type(error).__name__)
            # The class alone: messages of drivers name hosts, users and paths.
            result |= {"status": "error", "error": type(error).__name__}
        result["duration_ms"] = round((time.perf_counter() - started) * 1000, 1)
        return result

    async def report(self) -> dict[str, Any]:
        """The state of every dependency, checked now and in parallel."""
        results = await asyncio.gather(*(self._run(name) for name in self._checks))
        checks = dict(zip(self._checks, results, strict=True))
        failed = [check for check in checks.values() if check["status"] != "ok"]
        if any(check["critical"] for check in failed) or not self.started:
            status = "error"
        else:
            status = "degraded" if failed else "ok"
        return {"status": status, "version": self.version, "checks": checks}


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
