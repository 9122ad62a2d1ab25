"""What is worked out once per policy instead of once per request."""

from collections.abc import Callable
from itertools import product
from struct import Struct, pack
from typing import Any

from gateway.models.limits import Policy
from gateway.ratelimit.protocol import MICROSECONDS

_MAX_RULES = 4096
_CHECK = b"C"


def bulk(value: bytes) -> bytes:
    """One argument of a command in RESP."""
    return b"$%d\r\n%b\r\n" % (len(value), value)


class Rule:
    """A policy in the forms that limiters and headers need.

    Attributes:
        policy: Its windows.
        spans: Quota and microseconds of each window.
        largest: The largest quota.
        longest: Microseconds of the longest window.
        read: Unpacks one answer of the script: code, retry after, what is left and the resets.
        size: Bytes of that answer.
        count: Number of windows.
        violations: By code of the script's answer, which windows refused.
        header: The `RateLimit-Policy` field.
        line: The same, as it is sent.
        states: Per window, the start of its `RateLimit` field.
    """

    __slots__ = (
        "_plans",
        "count",
        "header",
        "largest",
        "line",
        "longest",
        "policy",
        "read",
        "size",
        "spans",
        "states",
        "violations",
    )

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.count = len(policy)
        self.spans = tuple((window.quota, window.seconds * MICROSECONDS) for window in policy)
        self.largest = max(window.quota for window in policy)
        self.longest = max(width for _, width in self.spans)
        answer = Struct(f"<BQ{2 * self.count}Q")
        self.read: Callable[[Any, int], tuple[int, ...]] = answer.unpack_from
        self.size = answer.size
        # The first window is the lowest bit.
        self.violations = tuple(
            tuple(reversed(flags)) for flags in product((False, True), repeat=self.count)
        )
        items = (f'"{window.name}";q={window.quota};w={window.seconds}' for window in policy)
        self.header = b"ratelimit-policy", ", ".join(items).encode()
        self.line = b"%b: %b\r\n" % self.header
        self.states = tuple(f'"{window.name}";r='.encode() for window in policy)
        self._plans: dict[object, bytes] = {}

    def plan(self, cost: int, limits: tuple[int, ...] = (), life_us: int = 0) -> bytes:
        """The argument that tells the script of Redis what a check is.

        Args:
            cost: Units.
            limits: Of the caps.
            life_us: Of a lease; 0 without caps.
        """
        asked = cost if not limits else (cost, limits, life_us)
        plan = self._plans.get(asked)
        if plan is None:
            if len(self._plans) >= _MAX_RULES:
                self._plans.clear()
            numbers = [cost, self.largest, self.longest]
            numbers += [number for span in self.spans for number in span]
            if limits:
                numbers += (life_us, *limits)
            fields = pack(f"<BB{len(numbers)}d", len(limits), self.count, *numbers)
            plan = self._plans[asked] = bulk(_CHECK + fields)
        return plan


_rules: dict[int, Rule] = {}


def rule_of(policy: Policy) -> Rule:
    """The rule of a policy, from memory: by identity, as hashing nine members takes longer."""
    # A rule keeps its policy alive, so the id cannot become another one's.
    rule = _rules.get(id(policy))
    if rule is None:
        if len(_rules) >= _MAX_RULES:
            _rules.clear()
        rule = _rules[id(policy)] = Rule(policy)
    return rule
