"""One stream of random events through the definition, the in-process limiter and Redis."""

import asyncio
import random
from dataclasses import dataclass

from prometheus_client import Gauge

from deploy.local.redis import RedisServer
from gateway.db.redis import RedisLink
from gateway.models.limits import Cap, Decision, Lease, Policy, Window
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.redis_limiter import RedisLimiter
from shared.db.base import new_id
from shared.metrics import Metrics
from tests.unit.gateway.limiter_reference import SECOND_US, ReferenceLimiter

EVENTS = 100_000
LIFE_S = 20
# The last is longer than what the script reads of a log at once, so that it has to search.
POLICIES: tuple[Policy, ...] = (
    (Window("a", 5, 2), Window("b", 12, 10), Window("c", 30, 60)),
    (Window("a", 5, 1),),
    (Window("a", 8, 3), Window("b", 20, 30)),
    (Window("a", 40, 2), Window("b", 70, 10), Window("c", 90, 30)),
)
KEYS = (0, 0, 0, 0, 1, 1, 2, 2, 2, 3)
# Steps that often land exactly on an edge, where an off-by-one shows.
STEPS_US = (0, 0, 0, 0, 0, 1, 999_999, 1_000_000, 400_000, 20_000)


@dataclass
class Clock:
    now: int = 1_700_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now


def without_lease(decision: Decision) -> Decision:
    """Lease ids are each limiter's own."""
    return decision._replace(lease=None)


class Comparison:
    """The same events for the reference, the limiter of a process, and that of Redis."""

    def __init__(self, link: RedisLink) -> None:
        self.rng, self.clock = random.Random(20_260_101), Clock()
        self.reference = ReferenceLimiter(LIFE_S)
        self.local = MemoryLimiter(self.clock, lease_life_s=LIFE_S)
        self.shared = RedisLimiter(link, self.clock, lease_life_s=LIFE_S)
        self.run = new_id()
        self.tenant = Cap("tenant", self.run, 9)
        self.leases: list[tuple[Lease, Lease, Lease]] = []
        self.seen = dict.fromkeys(
            ("events", "allowed", "denied", "capped", "released", "renewed"), 0
        )

    async def hold_and_release(self) -> None:
        """Some requests end, one goes on for long."""
        rng, leases = self.rng, self.leases
        for _ in range(rng.choice((0, 1, 3, 6))):
            if leases and rng.random() < 0.7:
                one, two, three = leases.pop(rng.randrange(len(leases)))
                self.reference.release(one)
                self.local.release(two)
                self.shared.release(three)
                self.seen["released"] += 1
        if leases and rng.random() < 0.8:
            one, two, three = rng.choice(leases)
            self.reference.hold(one, self.clock.now)
            self.local.renew(two)
            self.shared.renew(three)
            self.seen["renewed"] += 1
            # Renewals go with the next call: one at the same moment.
            await self.shared.check(f"{self.run}-other", POLICIES[0])

    async def check_some(self) -> None:
        """Checks at one moment or several, in one or more batches."""
        rng, expected, decided = self.rng, [], []
        for _ in range(rng.choice((1, 20, 127, 128, 129, 300))):
            self.clock.now += rng.choice((*STEPS_US, rng.randrange(200_000)))
            if rng.random() < 0.001:
                self.clock.now += rng.choice((5, 60, 600)) * SECOND_US
            number = rng.randrange(len(KEYS))
            key, policy = f"{self.run}-{number}", POLICIES[KEYS[number]]
            cap = Cap("key", key, 1 + number % 4)
            cost = rng.choice((1, 1, 1, 2, 5))
            asked = rng.choice(((), (), (cap,), (cap, self.tenant)))
            expected.append(self.reference.check(key, policy, cost, self.clock.now, asked))
            own = self.local.decide(key, policy, cost, asked)
            decided.append((own, self.shared.submit(key, policy, cost, asked)))
        answers = await asyncio.gather(*(future for _, future in decided))
        for right, (own, _), other in zip(expected, decided, answers, strict=True):
            self.compare(right, own, other)

    def compare(self, right: Decision, own: Decision, other: Decision) -> None:
        assert without_lease(own) == without_lease(right)
        assert without_lease(other) == without_lease(right)
        assert (own.lease is None) == (other.lease is None) == (right.lease is None)
        self.seen["events"] += 1
        if right.capped:
            self.seen["capped"] += 1
        else:
            self.seen["allowed" if right.allowed else "denied"] += 1
        if right.lease and own.lease and other.lease:
            self.leases.append((right.lease, own.lease, other.lease))


async def test_100_000_random_events_have_no_difference(redis: RedisServer) -> None:
    link = RedisLink(redis.url, Metrics("test"), Gauge("up", "", ["dependency"], registry=None))
    comparison = Comparison(link)
    try:
        while comparison.seen["events"] < EVENTS:
            await comparison.hold_and_release()
            await comparison.check_some()
    finally:
        await link.close()
    assert min(comparison.seen.values()) > 500, comparison.seen
