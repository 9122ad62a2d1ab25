"""A listener of its own for what operators read: no client reaches it by the public port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from uvicorn import Config
from uvicorn.server import ServerState

from gateway.proxy.refusal import refuse
from gateway.server.asgi import AsgiExchange
from gateway.server.connection import HttpConnection
from gateway.server.limits import ConnectionLimits
from gateway.server.service import HttpService
from gateway.server.sweeper import Sweeper
from shared.asgi.context import RequestContextMiddleware
from shared.asgi.errors import install_error_handlers
from shared.health import Health, health_router
from shared.metrics import Metrics


def admin_app(health: Health, metrics: Metrics) -> FastAPI:
    """What the listener serves: the infrastructure routes, and nothing else."""
    app = FastAPI(
        openapi_url=None,
        # As of the public application: the framework's own are off.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.include_router(health_router(health, metrics))
    install_error_handlers(app)
    app.add_middleware(RequestContextMiddleware, metrics=metrics)
    return app


@asynccontextmanager
async def listening(
    app: FastAPI, host: str, port: int, limits: ConnectionLimits, *, reuse_port: bool
) -> AsyncIterator[None]:
    """Serve an application on an address of its own, in this loop.

    Until the process's lifespan ends: what drains is still watched.

    Args:
        app: The application.
        host: Address.
        port: Likewise; 0 listens nowhere.
        limits: Of its connections.
        reuse_port: Whether another process may listen there as well.

    Raises:
        OSError: Somebody else listens there.
    """
    if not port:
        yield
        return
    service = HttpService(lambda request: AsgiExchange(request).run(app, {}), refuse, limits)
    config, state = Config(app), ServerState()

    def connection() -> HttpConnection:
        return HttpConnection(config, state, {"http": service})

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, host, port, reuse_port=reuse_port or None)
    sweeper = Sweeper(service.connections)
    sweeper.start()
    try:
        yield
    finally:
        server.close()
        sweeper.stop()
        for one in list(service.connections):
            one.abort()
