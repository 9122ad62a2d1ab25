"""One replica of a service: its load, and whether it is trusted with requests."""

import hashlib
import random
from collections.abc import Callable
from enum import Enum

MAX_FAILURES = 5
MAX_RECENT_FAILURES = 10  # Of the last 20 requests.
EJECTION_S = (25.0, 35.0)
DRAINING_S = 10.0
SILENT_S, MAX_MISSES = 5.0, 3
_RECENT = (1 << 20) - 1
_FIRST_SHARE = 0.1


class State(Enum):
    """Of the circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def replica_token(base_url: str) -> str:
    """Names a replica in `x-sg-replica` and in the ids of sessions that it keeps."""
    return hashlib.sha256(base_url.encode()).hexdigest()[:8]


class Replica:
    """A circuit breaker, and counts of what is in flight.

    It opens after five failures in a row, or ten of the last twenty. Failures to connect end when
    `/health` answers again, which is asked in the background; bad answers end after a while,
    since `/health` says nothing about them, with one request as the probe. Whether a replica that
    only fails, or has answered nothing for a while, hangs as a whole is asked of `/health` too:
    then it counts as one without connection.

    Args:
        url: Base URL.
        clock: Monotonic seconds.
        slow_start_s: In this time its share of requests grows from a tenth to the whole.

    Attributes:
        heard: When it last began an answer.
        in_flight: Requests.
        tunnels: Open WebSocket connections.
        lines: Field lines of each attempt, to be completed with the milliseconds left.
        troubled: A success changes something.
    """

    __slots__ = (
        "_clock",
        "_draining_until",
        "_failures",
        "_misses",
        "_open_until",
        "_probing",
        "_recent",
        "_slow_start_s",
        "_slow_until",
        "_unreachable",
        "heard",
        "in_flight",
        "lines",
        "state",
        "token",
        "troubled",
        "tunnels",
        "url",
    )

    def __init__(self, url: str, clock: Callable[[], float], *, slow_start_s: float = 0.0) -> None:
        self.url = url
        self.token = replica_token(url)
        self.lines = f"x-sg-replica: {self.token}\r\n".encode()
        self.heard = clock()
        self.in_flight = 0
        self.tunnels = 0
        self.state = State.CLOSED
        self.troubled = False
        self._clock = clock
        self._unreachable = False
        self._failures = self._misses = 0
        self._recent = 0  # A bit for each of the last requests; 1 is a failure.
        self._open_until = 0.0
        self._probing = False
        self._draining_until = 0.0
        self._slow_start_s = slow_start_s
        self._slow_until = clock() + slow_start_s if slow_start_s else 0.0

    @property
    def unreachable(self) -> bool:
        """Ejected because it cannot be connected to; only `/health` brings it back."""
        return self.state is State.OPEN and self._unreachable

    def steady(self, now: float) -> bool:
        """Whether nothing is to be considered about it but its load."""
        return self.state is State.CLOSED and now >= max(self._draining_until, self._slow_until)

    @property
    def suspect(self) -> bool:
        """Whether it fails and may hang as a whole."""
        return not self._unreachable and (
            self.state is not State.CLOSED or self._failures >= MAX_FAILURES
        )

    def silent(self, now: float) -> bool:
        """Whether it has requests and has answered none for a while: long ones, or it hangs."""
        return self.in_flight > 0 and now - self.heard >= SILENT_S and not self._unreachable

    def draining(self, now: float) -> bool:
        """Whether it asked for no new requests."""
        return now < self._draining_until

    def share(self, now: float) -> float:
        """Of the requests that it would get if it had been here for long."""
        left = self._slow_until - now
        if left <= 0:
            return 1.0
        return _FIRST_SHARE + (1.0 - _FIRST_SHARE) * (1.0 - left / self._slow_start_s)

    def available(self, now: float) -> bool:
        """Whether a request may go there now."""
        if self.state is State.OPEN and not self._unreachable and now > self._open_until:
            self.state = State.HALF_OPEN
            self._probing = False
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._probing)

    def begin(self) -> bool:
        """A request goes there; whether it is the probe of a half open breaker."""
        self.in_flight += 1
        if self.state is State.HALF_OPEN and not self._probing:
            self._probing = True
            return True
        return False

    def probe_ended(self) -> None:
        """The probe ended, one way or another."""
        self._probing = False

    def succeeded(self) -> None:
        """It answered; needed only while `troubled`."""
        if self.state is State.OPEN:
            return  # An answer to what was asked before.
        if self.state is State.HALF_OPEN:
            self._close()
            return
        self._failures = 0
        self._recent = (self._recent << 1) & _RECENT
        self.troubled = self._recent != 0

    def failed(self, *, unreachable: bool, may_open: bool) -> bool:
        """It did not answer, or with a 5xx; whether this took it out of use.

        Args:
            unreachable: The connection failed.
            may_open: False keeps the only replica of a service in use.
        """
        self.troubled = True
        self._failures += 1
        self._recent = ((self._recent << 1) & _RECENT) | 1
        if self.state is State.OPEN:
            self._unreachable = self._unreachable or unreachable
            return False
        if may_open and (
            self._failures >= MAX_FAILURES
            or self._recent.bit_count() >= MAX_RECENT_FAILURES
            or self.state is State.HALF_OPEN
        ):
            self.state = State.OPEN
            self._unreachable = unreachable
            self._open_until = self._clock() + random.uniform(*EJECTION_S)  # noqa: S311 - no secret
            return True
        return False

    def missed(self) -> bool:
        """Its `/health` does not answer either; whether this took it out of use.

        One that only takes long may be busy for a second; one that failed as well is not asked
        again.
        """
        self._misses += 1
        hangs = self._misses >= MAX_MISSES and self.silent(self._clock())
        if not (self.suspect or hangs):
            return False
        was = self.state
        self.state = State.OPEN
        self._unreachable = True
        return was is not State.OPEN

    def drain(self) -> None:
        """It is about to end."""
        self._draining_until = self._clock() + DRAINING_S

    def healthy(self) -> bool:
        """`/health` answered; whether this brought it back into use."""
        self._misses = 0
        if not self.unreachable:
            return False
        self._close()
        return True

    def _close(self) -> None:
        self.state = State.CLOSED
        self._failures = self._recent = 0
        self._unreachable = self.troubled = False
