"""Redis while it answers, this process's own windows of the same policy while it does not."""

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.db.redis_wire import Session
from gateway.exceptions import LimitsUnavailable
from gateway.models.limits import Cap, Decision, Lease, Policy
from gateway.ratelimit.batch import Call, Question
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.redis_limiter import RedisLimiter
from gateway.ratelimit.restoring import Restoring
from gateway.ratelimit.rules import Rule
from shared.metrics import Metrics


class _Tallies(Collector):
    """Decisions in plain integers: an event loop needs no locks."""

    def __init__(self) -> None:
        self.counts = {
            backend: {"allowed": 0, "denied": 0, "capped": 0} for backend in ("redis", "process")
        }
        self.unavailable = 0

    def add(self, backend: str, decision: Decision) -> None:
        """Count one that is not allowed."""
        self.counts[backend]["denied" if decision.capped is None else "capped"] += 1

    def collect(self) -> Iterable[Metric]:
        """For a scrape."""
        family = CounterMetricFamily(
            "speechgate_rate_limit_decisions",
            "Decisions of the rate limiter",
            labels=["backend", "outcome"],
        )
        for backend, outcomes in self.counts.items():
            for outcome, number in outcomes.items():
                family.add_metric([backend, outcome], number)
        family.add_metric(["none", "unavailable"], self.unavailable)
        yield family


class CountingLimiter:
    """Decides, falls back and counts.

    What Redis accepts is noted in this process too: an outage then continues the windows instead
    of granting every key a new quota, and a Redis that lost its data gets them back.

    Args:
        shared: The limiter of all gateways; None in the embedded stack.
        metrics: Where decisions are counted.
        local: Of this process.
    """

    def __init__(
        self, shared: RedisLimiter | None, metrics: Metrics, local: MemoryLimiter | None = None
    ) -> None:
        self._shared = shared
        self._local = local or MemoryLimiter()
        self._tallies = _Tallies()
        metrics.registry.register(self._tallies)
        self._by_redis = self._tallies.counts["redis"]
        self._by_process = self._tallies.counts["process"]
        self._restoring = Restoring(self._local)
        if shared is not None:
            shared.outcome = self
            shared.greet = self._greet

    async def check(
        self,
        key: str,
        policy: Policy,
        cost: int = 1,
        caps: Sequence[Cap] = (),
        *,
        fail_closed: bool = False,
    ) -> Decision:
        """One decision; see `Limiter`.

        Args:
            key: Id of the API key or user.
            policy: Windows that must all have room.
            cost: Units.
            caps: Bounds on requests in flight.
            fail_closed: While Redis does not answer, nothing passes.

        Raises:
            LimitsUnavailable: Redis does not answer and `fail_closed` is set.
        """
        decided = self.submit(key, policy, cost, caps, fail_closed=fail_closed)
        return decided if isinstance(decided, Decision) else await decided

    def submit(
        self,
        key: str,
        policy: Policy,
        cost: int = 1,
        caps: Sequence[Cap] = (),
        *,
        fail_closed: bool = False,
    ) -> "Decision | asyncio.Future[Decision]":
        """`check` without a coroutine: at once where this process decides, else to be awaited.

        Raises:
            LimitsUnavailable: As `check`; the future may raise it too.
        """
        shared = self._shared_now(fail_closed=fail_closed)
        if shared is not None:
            return shared.submit(key, policy, cost, caps, fail_closed=fail_closed)
        return self._decide(key, policy, cost, caps)

    def ask(self, question: Question) -> Decision | None:
        """`submit` for somebody who is told; None: that will be later."""
        shared = self._shared_now()
        if shared is not None:
            shared.ask(question)
            return None
        call = question.call
        return self._decide(call.key, call.rule.policy, call.cost, question.caps)

    def _shared_now(self, *, fail_closed: bool = False) -> RedisLimiter | None:
        """The shared limiter while it answers; None leaves the decision to this process.

        Raises:
            LimitsUnavailable: It does not, and nothing may pass without it.
        """
        shared = self._shared
        if shared is None:
            return None
        if shared.link.dependency.down_since is None and not self._restoring.active:
            return shared
        shared.link.fell_back("limits")
        if fail_closed:
            self._tallies.unavailable += 1
            raise LimitsUnavailable
        return None

    def renew(self, lease: Lease) -> None:
        """The request goes on for longer than a lease lives; never waits."""
        self._local.renew(lease)
        if self._shared is not None:
            self._shared.renew(lease)

    def release(self, lease: Lease) -> None:
        """The request ended; never waits."""
        self._local.release(lease)
        if self._shared is not None:
            self._shared.release(lease)

    def answered(self, calls: Sequence[Call], decisions: Sequence[Decision], now_us: int) -> None:
        """Redis decided."""
        local, allowed = self._local, 0
        local.synchronize(now_us)
        # Requests of one moment are often those of one key: its log takes them together.
        accepted: dict[tuple[str, Rule], int] = {}
        for call, decision in zip(calls, decisions, strict=True):
            done, key, rule, cost, lease, _ = call
            left = done.done()  # A client that left cancelled its wait.
            if not left:
                done.set_result(decision)
            if decision.allowed:
                allowed += 1
                accepted[key, rule] = accepted.get((key, rule), 0) + cost
                if lease is not None and not left:
                    local.renew(lease)
            else:
                self._tallies.add("redis", decision)
        self._by_redis["allowed"] += allowed
        for (key, rule), units in accepted.items():
            local.record(key, rule, units, now_us)

    def failed(self, calls: Sequence[Call], error: BaseException) -> None:
        """Redis did not answer."""
        for call in calls:
            if call.done.done():
                continue
            if call.fail_closed:
                self._tallies.unavailable += 1
                unavailable = LimitsUnavailable()
                unavailable.__cause__ = error
                call.done.set_exception(unavailable)
            else:
                caps = () if call.lease is None else call.lease.caps
                call.done.set_result(self._decide(call.key, call.rule.policy, call.cost, caps))

    def _decide(self, key: str, policy: Policy, cost: int, caps: Sequence[Cap]) -> Decision:
        decision = self._local.decide(key, policy, cost, caps)
        if decision.allowed:
            self._by_process["allowed"] += 1
        else:
            self._tallies.add("process", decision)
        return decision

    async def _greet(self, session: Session) -> None:
        if await self._restoring.greet(session) and self._shared is not None:
            for lease in self._local.in_flight.held():
                self._shared.renew(lease)
