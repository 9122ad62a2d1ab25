"""Checks that go to Redis in one call of the script."""

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from struct import Struct, pack
from typing import NamedTuple

from gateway.db.redis_wire import encode
from gateway.models.limits import Cap, Decision, Lease, Policy
from gateway.ratelimit.protocol import CAPPED_RETRY_US, Asker
from gateway.ratelimit.rules import Rule, bulk, rule_of

SCRIPT = files("gateway.ratelimit").joinpath("sliding_window.lua").read_bytes()
LOAD = encode(b"SCRIPT", b"LOAD", SCRIPT)
MAX_BATCH = 128
LOGS = b"speechgate:window:"
PLACES = b"speechgate:flight:"
_SHA = sha1(SCRIPT, usedforsecurity=False).hexdigest().encode()
_CLOCK = Struct("<d")
_SERVER_CLOCK = bulk(b"")
_END = bulk(b"E")
_MAX_REMEMBERED = 16_384
_CAPPED = 128


class Call(NamedTuple):
    """One check that waits."""

    done: Asker
    key: str
    rule: Rule
    cost: int
    lease: Lease | None
    fail_closed: bool


class Question:
    """A check that is made again and again.

    Args:
        done: Is told each decision.
        key: Id of the API key or user.
        policy: Windows that must all have room.
        cost: Units.
        caps: Bounds on requests in flight.
    """

    __slots__ = ("call", "caps", "log", "plan")

    def __init__(
        self, done: Asker, key: str, policy: Policy, cost: int, caps: Sequence[Cap]
    ) -> None:
        rule = rule_of(policy)
        self.call = Call(done, key, rule, cost, None, fail_closed=False)
        self.caps = caps
        self.log = log_key(key)
        self.plan = rule.plan(cost)

    def end(self) -> None:
        """It is not asked again: forget who asked, who refers to it."""
        del self.call


_log_keys: dict[str, bytes] = {}


def log_key(key: str) -> bytes:
    """The key of a log as an argument, from memory."""
    encoded = _log_keys.get(key)
    if encoded is None:
        if len(_log_keys) >= _MAX_REMEMBERED:
            _log_keys.clear()
        encoded = _log_keys[key] = bulk(LOGS + key.encode())
    return encoded


class Batch:
    """Operations of one script call, gathered as bytes; ends come before checks.

    Attributes:
        calls: Checks, in the order of their answers.
        ended: Leases that it ends.
        leased: Some check takes places.
        retried: It was sent twice, because Redis had forgotten the script.
        times: Injected microseconds of each check; empty takes the server's clock.
    """

    __slots__ = (
        "_checks",
        "_keys",
        "_places",
        "_turns",
        "calls",
        "ended",
        "leased",
        "retried",
        "times",
    )

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._checks: list[bytes] = []
        self._places: list[bytes] = []
        self._turns: list[bytes] = []
        self.calls: list[Call] = []
        self.ended: list[Lease] = []
        self.leased = False
        self.retried = False
        self.times: list[int] = []

    def add(self, call: Call, log: bytes, plan: bytes) -> None:
        """One check.

        Args:
            call: Who waits for it.
            log: Its `log_key`.
            plan: Of its rule.
        """
        self.calls.append(call)
        self._keys.append(log)
        self._checks.append(plan)
        if call.lease is not None:
            self.leased = True
            self._keys += _places(call.lease)
            self._checks.append(bulk(call.lease.id.encode()))

    def renew(self, lease: Lease, life_us: int) -> None:
        """Keep the places of a lease for longer."""
        self._operate(lease, bulk(b"N" + pack("<d", life_us)))

    def end(self, lease: Lease) -> None:
        """Give the places of a lease back."""
        self.ended.append(lease)
        self._operate(lease, _END)

    def command(self, now: int | None = None) -> bytes:
        """As bytes for Redis.

        Args:
            now: Injected time of what is no check.
        """
        times = _SERVER_CLOCK
        if now is not None:
            every = [now] * len(self._places) + self.times
            times = bulk(pack(f"<{len(every)}d", *every))
        head = _head(len(self._places) + len(self._keys), len(self._turns) + len(self._checks))
        return b"".join((head, *self._places, *self._keys, times, *self._turns, *self._checks))

    def read(self, answer: bytes) -> tuple[int, list[Decision]]:
        """The clock, and the decision of each call."""
        decisions = []
        position = _CLOCK.size
        for _, _, rule, _, lease, _ in self.calls:
            count = rule.count
            fields = rule.read(answer, position)
            position += rule.size
            code = fields[0]
            if not code:
                decisions.append(
                    Decision(
                        True,  # noqa: FBT003 - names would double the cost
                        0,
                        fields[2 : 2 + count],
                        fields[2 + count :],
                        rule.violations[0],
                        lease,
                    )
                )
                continue
            capped = None
            if code >= _CAPPED and lease is not None:
                capped, code = lease.caps[code - _CAPPED].name, 0
            decisions.append(
                Decision(
                    allowed=False,
                    retry_after_us=CAPPED_RETRY_US if capped else fields[1],
                    remaining=fields[2 : 2 + count],
                    reset_us=fields[2 + count :],
                    violated=rule.violations[code],
                    capped=capped,
                )
            )
        return int(_CLOCK.unpack_from(answer)[0]), decisions

    def _operate(self, lease: Lease, operation: bytes) -> None:
        # One operation per set, so that every key belongs to one part of the script.
        lease_id = bulk(lease.id.encode())
        for place in _places(lease):
            self._places.append(place)
            self._turns += (operation, lease_id)


def _places(lease: Lease) -> Sequence[bytes]:
    return [bulk(PLACES + f"{cap.name}:{cap.holder}".encode()) for cap in lease.caps]


_heads: dict[tuple[int, int], bytes] = {}


def _head(keys: int, arguments: int) -> bytes:
    head = _heads.get((keys, arguments))
    if head is None:
        if len(_heads) >= _MAX_REMEMBERED:
            _heads.clear()
        parts = (bulk(b"EVALSHA"), bulk(_SHA), bulk(b"%d" % keys))
        head = b"".join((b"*%d\r\n" % (4 + keys + arguments), *parts))
        _heads[keys, arguments] = head
    return head
