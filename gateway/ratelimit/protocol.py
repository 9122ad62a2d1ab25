"""What a limiter is: exact sliding windows over a log of accepted requests.

Definition that every implementation follows to the microsecond, and that the tests' reference
states in the plainest way: a unit accepted at `t` counts in a window of `W` seconds while
`now - t < W`. A request of cost `c` passes when each window holds at most `quota - c` units; it
then adds `c` units. A denied request adds nothing.

A cap of `n` has a place while fewer than `n` leases of its holder are neither released nor older
than a lease lives. Caps are asked in their order when all windows have room; a request takes one
place of each, or none.
"""

from collections.abc import Sequence
from typing import Protocol

from gateway.models.limits import Cap, Decision, Lease, Policy

MICROSECONDS = 1_000_000
CAPPED_RETRY_US = MICROSECONDS
"""When a place will be free is not known."""
LEASE_LIFE_S = 150.0
"""Longer than a request may take, so that only the places of a gateway that died are taken back."""


class Asker(Protocol):
    """Who is told a decision: a future, or what does without one."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def cancelled(self) -> bool:
        """Whether the wait ended before the decision."""

    def set_result(self, result: Decision, /) -> None:
        """This was decided."""

    def set_exception(self, exception: BaseException, /) -> None:
        """Nothing was decided."""


class Limiter(Protocol):
    """Decides whether a request may pass, and counts it when it may."""

    async def check(
        self, key: str, policy: Policy, cost: int = 1, caps: Sequence[Cap] = ()
    ) -> Decision:
        """One decision.

        Args:
            key: Id of the API key or user.
            policy: Windows that must all have room.
            cost: Units that the request takes; at most every quota.
            caps: Bounds on requests in flight; a request that one of them refuses counts in no
                window.
        """

    def renew(self, lease: Lease) -> None:
        """The request goes on for longer than a lease lives; never waits."""

    def release(self, lease: Lease) -> None:
        """The request ended; never waits."""
