"""Requests that the gateway composes of steps at services: what they need, cost and may take.

The guard has authenticated the sender, counted one unit and taken the places under the sender's
caps before the body was read. What the body asks for decides the rest, before any step begins.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from gateway.exceptions import QuotaExceeded, RouteClosed, ScopeMissing
from gateway.models.limits import Decision
from gateway.models.principal import Principal
from gateway.models.routes import Priority, Route
from gateway.ratelimit.headers import limit_headers, retry_after_s
from gateway.ratelimit.protocol import Limiter
from gateway.upstream.protocol import Header
from gateway.upstream.step_answer import StepAnswer
from gateway.upstream.step_client import StepBody, StepClient
from shared.telemetry.span import span
from shared.tracing import RequestContext

GUARDED_UNITS = 1
"""What the guard counts of a composed request."""


class Switches(Protocol):
    """Knows which routes operators have closed."""

    def closed(self, template: str) -> bool:
        """From memory; never waits."""


class Places(Protocol):
    """Places of requests in this process."""

    def admit(self, priority: Priority) -> None:
        """Take one, or raise Overloaded."""

    def leave(self) -> None:
        """Give it back."""


class Run:
    """One composed request that may do its steps.

    Attributes:
        principal: Who sent it.
        trace: Of it; each step is a child.
        deadline: `loop.time()` at which its answer must be there; passed down to each step.
    """

    def __init__(
        self,
        client: StepClient,
        principal: Principal,
        trace: RequestContext,
        deadline: float,
        session_id: str | None,
    ) -> None:
        self.client = client
        self.principal = principal
        self.trace = trace
        self.deadline = deadline
        self.session_id = session_id

    async def call(self, route: Route, body: StepBody, *, path: str | None = None) -> StepAnswer:
        """One step; see `StepClient.call`.

        Args:
            route: Where.
            body: JSON.
            path: In place of the route's template, where that has variables.
        """
        return await self.client.call(
            route.service,
            route.method,
            path or route.template,
            body,
            self.principal,
            self.deadline,
            self.trace,
            priority=route.priority,
            session_id=self.session_id,
        )


class Composer:
    """Admits composed requests.

    Args:
        client: Does their steps.
        limiter: Counts them.
        switches: Of the steps' routes.
        places: In this process.
        timeout_s: Longest time of one whose steps are all quick.
        slow_timeout_s: Of one with a step that may be slow.
    """

    def __init__(
        self,
        client: StepClient,
        limiter: Limiter,
        switches: Switches,
        places: Places,
        *,
        timeout_s: float,
        slow_timeout_s: float,
    ) -> None:
        self.client = client
        self._limiter = limiter
        self._switches = switches
        self._places = places
        self._timeout_s = timeout_s
        self._slow_timeout_s = slow_timeout_s

    def closed(self, route: Route) -> bool:
        """Whether an operator has closed a step's route."""
        return self._switches.closed(route.template)

    @asynccontextmanager
    async def admit(
        self,
        routes: Sequence[Route],
        principal: Principal,
        trace: RequestContext,
        told: list[Header],
        *,
        session_id: str | None = None,
    ) -> AsyncIterator[Run]:
        """Let a request do its steps inside the block.

        Args:
            routes: Of the steps that it cannot do without.
            principal: Who sent it.
            trace: Of it.
            told: Fields about limits that the answer will have; replaced when more is counted.
            session_id: Of the client's session, if it names one.

        Raises:
            ScopeMissing: The sender lacks the scope of a step.
            QuotaExceeded: The steps cost more than is left.
            RouteClosed: A step's route is.
            Overloaded: This process has too much to do.
        """
        for route in routes:
            if not principal.may(route.scope):
                raise ScopeMissing(route.scope)
        cost = sum(route.cost for route in routes) - GUARDED_UNITS
        if cost > 0:
            with span("rate limit"):
                decision = await self._limiter.check(
                    principal.identity.subject, principal.policy, cost
                )
            self._count(decision, principal, told)
        if any(self.closed(route) for route in routes):
            raise RouteClosed
        self._places.admit(Priority.INTERACTIVE)
        try:
            longest = (
                self._slow_timeout_s if any(route.slow for route in routes) else self._timeout_s
            )
            deadline = asyncio.get_running_loop().time() + longest
            yield Run(self.client, principal, trace, deadline, session_id)
        finally:
            self._places.leave()

    @staticmethod
    def _count(decision: Decision, principal: Principal, told: list[Header]) -> None:
        policy = principal.policy
        told[:] = limit_headers(policy, decision)
        if not decision.allowed:
            violated = [
                window.name for window, full in zip(policy, decision.violated, strict=True) if full
            ]
            raise QuotaExceeded(violated, retry_after_s(decision))
