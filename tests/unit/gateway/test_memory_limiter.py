import random

import pytest

from gateway.models.limits import Decision, Window, make_policy
from gateway.ratelimit.headers import limit_headers, retry_after_s
from gateway.ratelimit.memory_limiter import MemoryLimiter
from gateway.ratelimit.rules import rule_of
from tests.unit.gateway.limiter_reference import SECOND_US, ReferenceLimiter

SMALL = (Window("a", 5, 2), Window("b", 12, 10), Window("c", 30, 60))


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_the_reference_over_random_events(seed: int) -> None:
    rng, clock, reference = random.Random(seed), Clock(), ReferenceLimiter()
    limiter = MemoryLimiter(clock)
    denied = 0
    for _ in range(2_500):
        # Steps that often land exactly on an edge, where an off-by-one shows.
        clock.now += rng.choice([0, 0, 1, 999_999, 1_000_000, 400_000, rng.randrange(3_000_000)])
        key, cost = rng.choice("xy"), rng.choice([1, 1, 1, 2, 5])
        expected = reference.check(key, SMALL, cost, clock.now)
        assert limiter.decide(key, SMALL, cost) == expected
        denied += not expected.allowed
    assert 200 < denied < 2_400  # both outcomes were exercised


def test_61st_request_of_a_minute_waits_for_the_first_to_leave() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    policy = make_policy(60, 1000, 10000)
    for _ in range(60):
        assert limiter.decide("k", policy).allowed
        clock.now += SECOND_US // 10
    decision = limiter.decide("k", policy)
    assert not decision.allowed
    assert decision.violated == (True, False, False)
    assert retry_after_s(decision) == 54
    clock.now += decision.retry_after_us - 1
    assert not limiter.decide("k", policy).allowed
    clock.now += 1
    assert limiter.decide("k", policy).allowed


def test_denied_requests_do_not_count() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    policy = make_policy(2, 1000, 10000)
    for _ in range(50):
        limiter.decide("k", policy)
    clock.now += 60 * SECOND_US
    assert [limiter.decide("k", policy).allowed for _ in range(3)] == [True, True, False]


def test_retry_after_is_of_the_window_that_opens_last() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    policy = make_policy(1, 1, 10)
    limiter.decide("k", policy)
    decision = limiter.decide("k", policy)
    assert decision.violated == (True, True, False)
    assert retry_after_s(decision) == 3600


def test_cost_above_a_quota_never_passes() -> None:
    decision = MemoryLimiter(Clock()).decide("k", make_policy(2, 10, 10), cost=3)
    assert not decision.allowed
    assert decision.retry_after_us > 0


def test_a_clock_set_back_does_not_break_the_windows() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    policy = make_policy(3, 1000, 10000)
    limiter.decide("k", policy)
    clock.now -= 30 * SECOND_US
    assert [limiter.decide("k", policy).allowed for _ in range(3)] == [True, True, False]


def test_keys_are_independent_and_bounded() -> None:
    limiter = MemoryLimiter(Clock(), max_keys=10)
    policy = make_policy(1, 1, 1)
    assert all(limiter.decide(str(number), policy).allowed for number in range(100))
    assert len(limiter._logs) == 10


def test_a_log_does_not_outgrow_its_largest_quota_by_much() -> None:
    limiter = MemoryLimiter(Clock())
    rule = rule_of((Window("s", 1_000, 1),))
    for millisecond in range(5_000):
        limiter.record("k", rule, 1, millisecond * 1_000)
        assert len(limiter._logs["k"]) <= 1_000 + 250 + 64


def test_headers_name_every_window_and_the_tightest() -> None:
    policy = make_policy(60, 1000, 10000)
    decision = Decision(
        allowed=True,
        retry_after_us=0,
        remaining=(59, 20, 9999),
        reset_us=(41_000_001, 3_600_000_000, 1),
        violated=(False, False, False),
    )
    assert dict(limit_headers(policy, decision)) == {
        b"ratelimit-policy": b'"minute";q=60;w=60, "hour";q=1000;w=3600, "day";q=10000;w=86400',
        b"ratelimit": b'"hour";r=20;t=3600',
    }
