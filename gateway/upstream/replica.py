"""One replica of a service: its load, and whether it is trusted with requests."""

import random
from collections.abc import Callable
from enum import Enum

MAX_FAILURES = 5
EJECTION_S = (5.0, 30.0)


class State(Enum):
    """Of the circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Replica:
    """A circuit breaker and a count of requests in flight.

    It opens after five failures in a row. Failures to connect end when `/health` answers again,
    which is asked in the background; a run of 5xx answers ends after a while, since `/health`
    says nothing about it, with one request as the probe.

    Args:
        url: Base URL.
        clock: Monotonic seconds.
    """

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        self.url = url
        self.in_flight = 0
        self.state = State.CLOSED
        self._clock = clock
        self._unreachable = False
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def unreachable(self) -> bool:
        """Ejected because it cannot be connected to; only `/health` brings it back."""
        return self.state is State.OPEN and self._unreachable

    def available(self) -> bool:
        """Whether a request may go there now."""
        if self.state is State.OPEN and not self._unreachable and self._clock() > self._open_until:
            self.state = State.HALF_OPEN
            self._probing = False
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._probing)

    def begin(self) -> None:
        """A request goes there."""
        self.in_flight += 1
        if self.state is State.HALF_OPEN:
            self._probing = True

    def end(self) -> None:
        """The request ended, one way or another."""
        self.in_flight -= 1
        self._probing = False

    def succeeded(self) -> None:
        """It answered."""
        self._failures = 0
        self.state = State.CLOSED

    def failed(self, *, unreachable: bool, may_open: bool) -> None:
        """It did not answer, or with a 5xx.

        Args:
            unreachable: The connection failed.
            may_open: False keeps the only replica of a service in use.
        """
        self._failures += 1
        if may_open and (self._failures >= MAX_FAILURES or self.state is State.HALF_OPEN):
            self.state = State.OPEN
            self._unreachable = unreachable
            self._open_until = self._clock() + random.uniform(*EJECTION_S)  # noqa: S311 - no secret

    def reachable_again(self) -> None:
        """`/health` answered."""
        if self.unreachable:
            self.succeeded()
