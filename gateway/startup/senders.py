"""Who may send requests: keys, users, sessions, tickets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.exceptions import RedisUnavailable
from gateway.models.keys import KeyLimits
from gateway.models.limits import make_policy
from gateway.ratelimit.protocol import Limiter
from gateway.repositories.key_cache import RedisKeyCache, revocations
from gateway.repositories.tickets import MemoryTickets, RedisTickets
from gateway.services.accounts import AccountService
from gateway.services.authentication import Authenticator
from gateway.services.hashing import KeyHasher
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.keys import KeyService
from gateway.services.login import LoginService
from gateway.services.passwords import PasswordHasher
from gateway.services.plans import PlanService
from gateway.services.sessions import SessionReader
from gateway.services.tickets import TicketService
from gateway.services.tokens import AccessTokens
from gateway.services.usage import UsageRecorder
from gateway.settings import GatewaySettings
from gateway.startup.stores import Stores
from shared.health import Health
from shared.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Senders:
    """The services around senders."""

    authenticator: Authenticator
    login: LoginService
    tickets: TicketService
    keys: KeyService
    accounts: AccountService
    plans: PlanService


@asynccontextmanager
async def open_senders(
    settings: GatewaySettings,
    stores: Stores,
    limiter: Limiter,
    health: Health,
    metrics: Metrics,
) -> AsyncIterator[Senders]:
    """Know senders, and hear of their changes from then on."""
    database, link = stores.database, stores.redis
    hasher = KeyHasher.from_files(
        settings.key_pepper_version, settings.key_pepper_file, settings.key_previous_pepper_files
    )
    policy = make_policy(settings.rate_per_minute, settings.rate_per_hour, settings.rate_per_day)
    cache = RedisKeyCache(link) if link is not None else None
    async with AsyncExitStack() as stack:
        usage = UsageRecorder(database, settings.usage_flush_s)
        usage.start()
        stack.push_async_callback(usage.stop)
        tokens = AccessTokens(settings.identity_private_key_file.read_bytes())
        authenticator = Authenticator(
            database,
            stores.database_state,
            cache,
            hasher,
            usage,
            policy,
            metrics,
            SessionReader(database, tokens),
        )
        stack.push_async_callback(authenticator.close)
        # Keys are believed for a minute of a database outage; after that nothing can be served.
        health.add("authentication", authenticator.require_database, critical=True)
        if settings.redis_url:
            await stack.enter_async_context(_hearing_changes(settings.redis_url, authenticator))

        async def forget(holder: str) -> None:
            authenticator.invalidate(holder)
            if cache is not None:
                with contextlib.suppress(RedisUnavailable):  # Others find out within 2 s.
                    await cache.publish(holder)

        passwords = PasswordHasher()
        announcer = KeyAnnouncer(cache, hasher.current, authenticator.invalidate)
        defaults = KeyLimits(*(window.quota for window in policy))
        yield Senders(
            authenticator,
            LoginService(database, passwords, tokens, hasher, limiter, forget),
            TicketService(
                RedisTickets(link) if link is not None else MemoryTickets(), hasher, authenticator
            ),
            KeyService(database, hasher, announcer, defaults),
            AccountService.over(database, passwords, announcer),
            PlanService(database, announcer),
        )


@asynccontextmanager
async def _hearing_changes(url: str, authenticator: Authenticator) -> AsyncIterator[None]:
    async def listen() -> None:
        async for holder in revocations(url):
            authenticator.invalidate(holder)

    task = asyncio.create_task(listen(), name="revocations")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
