"""The gateway's application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.handlers.docs import docs_router
from gateway.lifespan import open_context
from gateway.middleware.proxy import ProxyMiddleware
from gateway.middleware.security_headers import SecurityHeadersMiddleware
from gateway.routes import RouteTable
from gateway.settings import GatewaySettings
from shared.app import VERSION
from shared.asgi.context import RequestContextMiddleware
from shared.asgi.errors import install_error_handlers
from shared.health import Health, health_router
from shared.logging import configure_logging
from shared.metrics import Metrics


def load_settings() -> GatewaySettings:
    """Settings from the environment."""
    return GatewaySettings()


def create_app(settings: GatewaySettings | None = None) -> FastAPI:
    """The application; settings come from the environment when absent."""
    settings = settings or load_settings()
    configure_logging("gateway", settings.log_level)
    metrics, health = Metrics("gateway"), Health(VERSION)
    infrastructure = health_router(health, metrics)
    own_document = get_openapi(title="speechgate", version=VERSION, routes=infrastructure.routes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with open_context(settings, health, metrics, own_document) as context:
            health.started = True
            yield {"context": context}
            health.started = False

    app = FastAPI(title="speechgate", version=VERSION, lifespan=lifespan, openapi_url=None)
    app.state.health = health
    app.state.metrics = metrics
    app.include_router(infrastructure)
    app.include_router(docs_router())
    install_error_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(ProxyMiddleware, table=RouteTable())
    app.add_middleware(RequestContextMiddleware, metrics=metrics)
    app.add_middleware(SecurityHeadersMiddleware)
    return app
