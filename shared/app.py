"""The frame of every service: middleware, errors, infrastructure routes."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.asgi.body import BodyLimitMiddleware
from shared.asgi.context import RequestContextMiddleware
from shared.asgi.errors import install_error_handlers
from shared.asgi.identity import IdentityMiddleware
from shared.health import Health, health_router
from shared.identity import IdentityVerifier
from shared.logging import configure_logging
from shared.metrics import Metrics
from shared.openapi import install_openapi
from shared.settings import ServiceSettings
from shared.telemetry.opening import open_tracer
from shared.version import VERSION

Opener = Callable[[Health, Metrics], AbstractAsyncContextManager[Any]]
"""Opens the process-wide context of a service and registers its health checks."""


def create_service_app(
    *,
    name: str,
    title: str,
    settings: ServiceSettings,
    open_context: Opener,
    routers: Sequence[APIRouter],
    body_bounds: Mapping[str, int] | None = None,
) -> FastAPI:
    """A service's application.

    Args:
        name: The identity token's audience, and the `service` label of logs and metrics.
        title: For the OpenAPI document.
        settings: The service's settings.
        open_context: Opens what lives as long as the process; handlers find it as
            `request.state.context`.
        routers: The service's own routes.
        body_bounds: Largest request body of paths that take more than the settings' bound.
    """
    configure_logging(name, settings.log_level)
    metrics, health = Metrics(name), Health(VERSION)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with (
            open_tracer(name, settings, metrics) as tracer,
            open_context(health, metrics) as context,
            health.watching(metrics),
        ):
            health.started = True
            yield {"context": context, "tracer": tracer}
            health.started = False

    app = FastAPI(
        title=title,
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # The framework's own spans hold queries, and its records the messages of errors.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.health = health
    app.state.metrics = metrics
    app.include_router(health_router(health, metrics))
    for router in routers:
        app.include_router(router)
    install_error_handlers(app)
    install_openapi(app)
    # The last one added is the outermost.
    app.add_middleware(
        BodyLimitMiddleware,
        max_bytes=settings.max_body_bytes,
        receive_timeout_s=settings.receive_timeout_s,
        larger=body_bounds or {},
    )
    verifier = IdentityVerifier.from_file(settings.identity_public_key_file, name)
    app.add_middleware(IdentityMiddleware, verifier=verifier)
    app.add_middleware(RequestContextMiddleware, metrics=metrics)
    return app
