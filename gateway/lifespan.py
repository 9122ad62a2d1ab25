"""What lives as long as the gateway process, opened in order and closed in reverse."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.inner_routes import INNER_ROUTES
from gateway.middleware.guard import GuardContext
from gateway.models.route_table import RouteTable
from gateway.models.routes import BodyBound
from gateway.models.streams import StreamBounds
from gateway.proxy.overload import Overload
from gateway.proxy.parts import ProxyContext
from gateway.proxy.record import AccessLog, Observer
from gateway.proxy.waiting import WaitingRoom
from gateway.ratelimit.redis_limiter import RedisLimiter
from gateway.ratelimit.resilient_limiter import CountingLimiter
from gateway.routes import OWN_ROUTES, ROUTES
from gateway.services.accounts import AccountService
from gateway.services.api_document import ApiDocument
from gateway.services.body_room import BodyRoom
from gateway.services.calls.analysis import CallAnalysis
from gateway.services.calls.calls import CallService
from gateway.services.calls.monitor import CallMonitor
from gateway.services.calls.steps import CallSteps
from gateway.services.client_address import TrustedProxies, parse_networks
from gateway.services.composing import Composer
from gateway.services.flag_runtime import open_flags
from gateway.services.flags import FlagService
from gateway.services.keys import KeyService
from gateway.services.login import LoginService
from gateway.services.pipelines.running import PipelineService
from gateway.services.plans import PlanService
from gateway.services.tickets import TicketService
from gateway.settings import GatewaySettings
from gateway.startup.memory import returning_memory
from gateway.startup.senders import open_senders
from gateway.startup.stores import open_stores
from gateway.startup.upstreams import open_upstreams
from gateway.upstream.step_client import StepClient
from shared.health import Health
from shared.metrics import Metrics
from shared.telemetry.opening import open_tracer

_NO_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What handlers and the proxied path find as `request.state.context`."""

    proxy: ProxyContext
    guard: GuardContext
    document: ApiDocument
    login: LoginService
    proxies: TrustedProxies
    tickets: TicketService
    keys: KeyService
    accounts: AccountService
    plans: PlanService
    flags: FlagService
    steps: StepClient
    composer: Composer
    pipelines: PipelineService
    bodies: BodyRoom
    call_analysis: CallAnalysis
    calls: CallService


@asynccontextmanager
async def open_context(
    settings: GatewaySettings,
    health: Health,
    metrics: Metrics,
    own_document: Callable[[], dict[str, Any]],
) -> AsyncIterator[GatewayContext]:
    """Connect to everything, and let go of it at the end.

    Args:
        settings: Of the gateway.
        health: Is told of what was connected.
        metrics: Of the process.
        own_document: Builds the OpenAPI document of the gateway's own routes.

    Raises:
        SchemaOutdated: Nobody ran `migrate` in time.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(returning_memory())
        tracer = await stack.enter_async_context(
            # Anybody may send a `traceparent`: whom it costs, the operator says.
            open_tracer("gateway", settings, metrics, follow_callers=settings.trace_follow_clients)
        )
        stores = await stack.enter_async_context(open_stores(settings, health, metrics))
        shared = RedisLimiter(stores.redis) if stores.redis is not None else None
        limiter = CountingLimiter(shared, metrics)
        senders = await stack.enter_async_context(
            open_senders(settings, stores, limiter, health, metrics)
        )
        upstreams = await stack.enter_async_context(open_upstreams(settings, health, metrics))
        flags = await stack.enter_async_context(
            open_flags(settings, stores.database, metrics, _closable())
        )
        source = "unleash" if settings.unleash_url else None
        health.add("flags", flags.check, critical=False, dependency=source)
        overload = Overload(settings.max_in_flight, metrics)
        overload.start()
        stack.callback(overload.stop)
        log = AccessLog("gateway", enabled=settings.log_level in ("debug", "info"))
        stack.callback(log.flush)
        steps = StepClient(
            upstreams.pools,
            upstreams.issuer,
            flags.models,
            RouteTable((*ROUTES, *INNER_ROUTES)),
            metrics,
            tracer,
        )
        composer = Composer(
            steps,
            limiter,
            flags.kill_switches,
            overload,
            timeout_s=settings.upstream_timeout_s,
            slow_timeout_s=settings.upstream_slow_timeout_s,
        )
        call_steps = CallSteps(composer, analysis_timeout_s=settings.call_analysis_timeout_s)
        call_monitor = CallMonitor(metrics)
        proxy = ProxyContext(
            authenticator=senders.authenticator,
            limiter=limiter,
            issuer=upstreams.issuer,
            pools=upstreams.pools,
            models=flags.models,
            switches=flags.kill_switches,
            overload=overload,
            waiting=WaitingRoom(overload, settings.max_in_flight, metrics),
            observer=Observer(metrics, log, settings.max_in_flight),
            tickets=senders.tickets,
            steps=steps,
            body_bounds={
                BodyBound.NONE: _NO_BODY_BYTES,
                BodyBound.SMALL: min(settings.small_body_bytes, settings.max_body_bytes),
                BodyBound.AUDIO: settings.max_body_bytes,
                BodyBound.RECORDING: settings.recording_body_bytes,
            },
            stream_bounds=StreamBounds(settings.stream_idle_timeout_s, settings.stream_max_bytes),
            timeout_s=settings.upstream_timeout_s,
            slow_timeout_s=settings.upstream_slow_timeout_s,
            tracer=tracer,
        )
        yield GatewayContext(
            proxy=proxy,
            guard=GuardContext(senders.authenticator, limiter, flags.kill_switches),
            document=ApiDocument(own_document, upstreams.fetch_document, ROUTES, OWN_ROUTES),
            login=senders.login,
            proxies=TrustedProxies(parse_networks(settings.trusted_proxies)),
            tickets=senders.tickets,
            keys=senders.keys,
            accounts=senders.accounts,
            plans=senders.plans,
            flags=flags.service,
            steps=steps,
            composer=composer,
            pipelines=PipelineService(metrics),
            bodies=BodyRoom(settings.composed_body_bytes, metrics),
            call_analysis=CallAnalysis(call_steps, stores.database, call_monitor),
            calls=CallService(call_steps, stores.database, call_monitor),
        )


def _closable() -> Iterator[str]:
    """Templates of the routes that have a kill switch."""
    yield from (route.template for route in ROUTES)
    yield from (route.template for route in OWN_ROUTES if route.composed)
