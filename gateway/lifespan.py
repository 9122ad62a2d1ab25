"""What lives as long as the gateway process, opened in order and closed in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client import Gauge

from gateway.db.dependency import Dependency
from gateway.db.redis import RedisLink
from gateway.db.schema import MIGRATIONS
from gateway.middleware.proxy import ProxyContext
from gateway.models.limits import make_policy
from gateway.models.routes import BodyBound, Service
from gateway.ratelimit.redis_limiter import RedisLimiter
from gateway.ratelimit.resilient_limiter import CountingLimiter
from gateway.repositories.key_cache import RedisKeyCache, revocations
from gateway.repositories.store import Database
from gateway.routes import ROUTES
from gateway.services.api_document import ApiDocument
from gateway.services.authentication import Authenticator
from gateway.services.hashing import KeyHasher
from gateway.services.usage import UsageRecorder
from gateway.settings import GatewaySettings
from gateway.upstream.aiohttp_client import AiohttpClient
from gateway.upstream.pool import ReplicaPool, UpstreamMetrics
from shared.db.engine import create_engine
from shared.db.migrations import require_current_schema
from shared.health import Health
from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer
from shared.metrics import Metrics

_NO_BODY_BYTES = 64 * 1024
_PROBE_TIMEOUT_S = 1.0
_DOCUMENT_TIMEOUT_S = 3.0
_SELF = Identity("gateway", "gateway", frozenset())


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What handlers and the proxied path find as `request.state.context`."""

    proxy: ProxyContext
    document: ApiDocument


@asynccontextmanager
async def open_context(
    settings: GatewaySettings, health: Health, metrics: Metrics, own_document: dict[str, Any]
) -> AsyncIterator[GatewayContext]:
    """Open everything and register the health checks.

    Args:
        settings: Of the process.
        health: Where the checks are registered.
        metrics: Of the process.
        own_document: OpenAPI document of the gateway's own routes.

    Raises:
        SchemaOutdated: Run `migrate` first.
    """
    gauge = Gauge(
        "speechgate_dependency_up",
        "1 while the dependency answers",
        ["dependency"],
        registry=metrics.registry,
    )
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url, pool_size=settings.database_pool_size)
        stack.push_async_callback(engine.dispose)
        await require_current_schema(engine, MIGRATIONS)
        database = Database(engine)
        database_state = Dependency("database", database.ping, gauge)
        database_state.start()
        stack.push_async_callback(database_state.stop)
        health.add("database", database.ping, critical=False)

        cache: RedisKeyCache | None = None
        shared_limiter: RedisLimiter | None = None
        if settings.redis_url:
            link = RedisLink(settings.redis_url, metrics, gauge)
            link.dependency.start()
            stack.push_async_callback(link.close)
            health.add("redis", link.ping, critical=False)
            cache, shared_limiter = RedisKeyCache(link), RedisLimiter(link)

        usage = UsageRecorder(database, settings.usage_flush_s)
        usage.start()
        stack.push_async_callback(usage.stop)
        authenticator = Authenticator(
            database,
            database_state,
            cache,
            KeyHasher.from_files(
                settings.key_pepper_version,
                settings.key_pepper_file,
                settings.key_previous_pepper_files,
            ),
            usage,
            make_policy(settings.rate_per_minute, settings.rate_per_hour, settings.rate_per_day),
            metrics,
        )
        stack.push_async_callback(authenticator.close)
        # Keys are believed for a minute of a database outage; after that nothing can be served.
        health.add("authentication", authenticator.require_database, critical=True)
        if settings.redis_url:
            await stack.enter_async_context(_hearing_revocations(settings, authenticator))

        issuer = IdentityIssuer.from_file(settings.identity_private_key_file)
        control = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        pools = await stack.enter_async_context(_open_pools(settings, metrics, control))
        for service, pool in pools.items():
            health.add(f"{service}-service", pool.check, critical=False)

        async def fetch_document(service: Service) -> dict[str, Any]:
            token = issuer.issue(_SELF, service)
            replica = pools[service].replicas[0].url
            answer = await control.get(
                f"{replica}/openapi.json",
                headers={IDENTITY_HEADER: token},
                timeout=_DOCUMENT_TIMEOUT_S,
            )
            document: dict[str, Any] = answer.raise_for_status().json()
            return document

        yield GatewayContext(
            ProxyContext(
                authenticator=authenticator,
                limiter=CountingLimiter(shared_limiter, metrics),
                issuer=issuer,
                pools=pools,
                body_bounds={
                    BodyBound.NONE: _NO_BODY_BYTES,
                    BodyBound.SMALL: min(settings.small_body_bytes, settings.max_body_bytes),
                    BodyBound.AUDIO: settings.max_body_bytes,
                },
                receive_timeout_s=settings.receive_timeout_s,
            ),
            ApiDocument(own_document, fetch_document, ROUTES),
        )


def service_urls(settings: GatewaySettings) -> dict[Service, tuple[str, ...]]:
    """Base URLs of replicas by service."""
    listed = {
        Service.ASR: settings.asr_urls,
        Service.TTS: settings.tts_urls,
        Service.NLP: settings.nlp_urls,
    }
    return {
        service: tuple(url.strip().rstrip("/") for url in urls.split(",") if url.strip())
        for service, urls in listed.items()
    }


@asynccontextmanager
async def _open_pools(
    settings: GatewaySettings, metrics: Metrics, control: httpx.AsyncClient
) -> AsyncIterator[Mapping[Service, ReplicaPool]]:
    async def probe(base_url: str) -> None:
        answer = await control.get(f"{base_url}/health", timeout=_PROBE_TIMEOUT_S)
        answer.raise_for_status()

    client = AiohttpClient(
        connect_timeout_s=settings.upstream_connect_timeout_s,
        total_timeout_s=settings.upstream_timeout_s,
    )
    counted = UpstreamMetrics(metrics)
    pools = {
        service: ReplicaPool(
            service,
            urls,
            client,
            probe,
            counted,
            max_in_flight=settings.upstream_max_in_flight,
        )
        for service, urls in service_urls(settings).items()
    }
    for pool in pools.values():
        pool.start()
    try:
        yield pools
    finally:
        for pool in pools.values():
            await pool.stop()
        await client.close()


@asynccontextmanager
async def _hearing_revocations(
    settings: GatewaySettings, authenticator: Authenticator
) -> AsyncIterator[None]:
    async def listen() -> None:
        async for key_id in revocations(settings.redis_url):
            authenticator.invalidate(key_id)

    task = asyncio.create_task(listen(), name="revocations")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
