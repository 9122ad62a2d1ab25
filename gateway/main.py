"""The gateway's application."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from gateway.handlers.admin_keys import keys_router
from gateway.handlers.admin_organizations import organizations_router
from gateway.handlers.admin_plans import plans_router
from gateway.handlers.admin_users import users_router
from gateway.handlers.auth import auth_router
from gateway.handlers.calls import calls_router
from gateway.handlers.docs import docs_router
from gateway.handlers.flags import flags_router
from gateway.handlers.pipelines import pipelines_router
from gateway.lifespan import open_context
from gateway.middleware.guard import GuardMiddleware
from gateway.middleware.security_headers import SecurityHeadersMiddleware
from gateway.models.route_table import RouteTable
from gateway.models.routes import BodyBound
from gateway.proxy.dispatch import Dispatcher
from gateway.proxy.refusal import refuse
from gateway.proxy.shortcuts import recognized
from gateway.routes import INFRASTRUCTURE, OPERATORS, OWN_ROUTES, ROUTES
from gateway.server.limits import ConnectionLimits
from gateway.server.service import HttpService
from gateway.server.sweeper import Sweeper
from gateway.settings import GatewaySettings
from gateway.startup.admin import admin_app, listening
from shared.asgi.body import BodyLimitMiddleware
from shared.asgi.context import RequestContextMiddleware
from shared.asgi.errors import install_error_handlers
from shared.health import Health, health_router
from shared.logging import configure_logging
from shared.metrics import Metrics
from shared.openapi import build_document
from shared.version import VERSION


def load_settings() -> GatewaySettings:
    """Settings from the environment."""
    return GatewaySettings()


def create_app(settings: GatewaySettings | None = None) -> FastAPI:
    """The application; settings come from the environment when absent.

    Its lifespan also yields `http`: what `gateway.server` serves, proxied routes included.

    Raises:
        RuntimeError: A handler's route is not declared, or a declared one has no handler.
    """
    settings = settings or load_settings()
    configure_logging("gateway", settings.log_level)
    metrics, health = Metrics("gateway", by_plan=True), Health(VERSION)
    own = [health_router(health, metrics), *_api_routers()]
    hidden = OPERATORS if settings.admin_port else frozenset[str]()
    admin = admin_app(health, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with (
            listening(
                admin,
                settings.admin_host,
                settings.admin_port,
                connection_limits(settings),
                reuse_port=settings.reuse_port,
            ),
            open_context(settings, health, metrics, partial(_document, own, hidden)) as context,
        ):
            state: dict[str, Any] = {"context": context, "tracer": context.proxy.tracer}
            dispatcher = Dispatcher(context.proxy, RouteTable(ROUTES), app, state)
            service = HttpService(
                dispatcher,
                refuse,
                connection_limits(settings),
                partial(recognized, context.proxy),
            )
            sweeper = Sweeper(service.connections)
            sweeper.start()
            async with health.watching(metrics):
                health.started = True
                yield {**state, "http": service}
                health.started = False
            sweeper.stop()

    app = FastAPI(
        title="speechgate",
        version=VERSION,
        lifespan=lifespan,
        openapi_url=None,
        # The framework's own spans hold queries, and its records the messages of errors.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.health = health
    app.state.metrics = metrics
    for router in (*own, docs_router()):
        app.include_router(router)
    check_declared(own)
    install_error_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(
        BodyLimitMiddleware,
        max_bytes=min(settings.small_body_bytes, settings.max_body_bytes),
        receive_timeout_s=settings.receive_timeout_s,
        larger=larger_bodies(settings),
    )
    app.add_middleware(
        GuardMiddleware, table=RouteTable(OWN_ROUTES), infrastructure=INFRASTRUCTURE - hidden
    )
    app.add_middleware(RequestContextMiddleware, metrics=metrics)
    app.add_middleware(SecurityHeadersMiddleware)
    return app


def _document(routers: Sequence[APIRouter], hidden: frozenset[str]) -> dict[str, Any]:
    routes = [route for router in routers for route in router.routes]
    told = [route for route in routes if getattr(route, "path", "") not in hidden]
    return build_document("speechgate", VERSION, told)


def _api_routers() -> list[APIRouter]:
    return [
        auth_router(),
        organizations_router(),
        plans_router(),
        users_router(),
        keys_router(),
        flags_router(),
        pipelines_router(),
        calls_router(),
    ]


def larger_bodies(settings: GatewaySettings) -> dict[str, int]:
    """The bounds of the gateway's own routes that take audio, by path."""
    bounds = {
        BodyBound.AUDIO: settings.max_body_bytes,
        BodyBound.RECORDING: settings.recording_body_bytes,
    }
    return {route.template: bounds[route.body] for route in OWN_ROUTES if route.body in bounds}


def connection_limits(settings: GatewaySettings) -> ConnectionLimits:
    """The bounds of client connections."""
    return ConnectionLimits(
        max_connections=settings.max_connections,
        max_head_bytes=settings.max_head_bytes,
        head_timeout_s=settings.head_timeout_s,
        receive_timeout_s=settings.receive_timeout_s,
        min_body_rate=settings.min_body_rate,
        send_timeout_s=settings.send_timeout_s,
    )


def check_declared(routers: list[APIRouter]) -> None:
    """Compare the handlers with the table that says who may call them.

    Raises:
        RuntimeError: They differ.
    """
    declared = {(route.method, route.template) for route in OWN_ROUTES}
    handled = set(_operations(routers))
    if declared != handled:
        raise RuntimeError(f"routes declared or handled, not both: {sorted(declared ^ handled)}")


def _operations(routers: list[APIRouter]) -> Iterator[tuple[str, str]]:
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.path not in INFRASTRUCTURE:
                yield from ((method, route.path) for method in route.methods or ())
