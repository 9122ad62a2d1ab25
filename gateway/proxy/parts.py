"""What the proxied path works with, and what it asks of each part."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.models.flags import ModelChoice
from gateway.models.limits import Cap, Decision, Lease, Policy
from gateway.models.principal import Principal
from gateway.models.routes import BodyBound, Route, Service
from gateway.models.streams import StreamBounds
from gateway.proxy.known_heads import KnownHeads
from gateway.proxy.overload import Overload
from gateway.proxy.record import Observer
from gateway.proxy.waiting import WaitingRoom
from gateway.ratelimit.batch import Question
from gateway.services.authentication import Authenticator
from gateway.upstream.pool import ReplicaPool
from gateway.upstream.step_client import StepClient
from shared.identity import IdentityIssuer
from shared.telemetry.span import Tracer


class ProxyLimiter(Protocol):
    """Decides at once where it can."""

    def submit(
        self,
        key: str,
        policy: Policy,
        cost: int,
        caps: Sequence[Cap],
        *,
        fail_closed: bool,
    ) -> "Decision | asyncio.Future[Decision]":
        """One decision; see `Limiter`."""

    def ask(self, question: Question) -> Decision | None:
        """One decision; None: who asks is told it later."""

    def renew(self, lease: Lease) -> None:
        """The stream goes on; never waits."""

    def release(self, lease: Lease) -> None:
        """The request ended; never waits."""


class ModelChooser(Protocol):
    """Chooses the model that serves a request."""

    def remembered(
        self, flag: str, principal: Principal, session_id: str | None
    ) -> ModelChoice | None:
        """A choice that was made before; None where it has to be made now."""

    def choose(self, flag: str | None, principal: Principal, session_id: str | None) -> ModelChoice:
        """From memory; never waits."""


class TicketRedeemer(Protocol):
    """Turns a single-use ticket into its sender."""

    async def redeem(self, ticket: str) -> Principal:
        """The sender, once."""

    async def sender_now(self, principal: Principal) -> Principal:
        """The sender as it is now; raises when it lost its rights."""


class RouteSwitch(Protocol):
    """Knows which routes operators have closed."""

    def closed(self, template: str) -> bool:
        """From memory; never waits."""


@dataclass(frozen=True, slots=True)
class ProxyContext:
    """What the proxied path works with; opened by the lifespan."""

    authenticator: Authenticator
    limiter: ProxyLimiter
    issuer: IdentityIssuer
    pools: Mapping[Service, ReplicaPool]
    models: ModelChooser
    switches: RouteSwitch
    overload: Overload
    waiting: WaitingRoom
    observer: Observer
    tickets: TicketRedeemer
    steps: StepClient
    body_bounds: Mapping[BodyBound, int]
    stream_bounds: StreamBounds
    timeout_s: float
    slow_timeout_s: float
    tracer: Tracer | None = None
    heads: KnownHeads = field(default_factory=KnownHeads)

    def timeout_of(self, route: Route) -> float:
        """Seconds from a request to the end of its answer."""
        return self.slow_timeout_s if route.slow else self.timeout_s
