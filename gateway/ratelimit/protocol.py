"""What a limiter is: exact sliding windows over a log of accepted requests.

Definition that every implementation follows to the microsecond, and that the tests' reference
states in the plainest way: a unit accepted at `t` counts in a window of `W` seconds while
`now - t < W`. A request of cost `c` passes when each window holds at most `quota - c` units; it
then adds `c` units. A denied request adds nothing.
"""

from typing import Protocol

from gateway.models.limits import Decision, Policy

MICROSECONDS = 1_000_000


class Limiter(Protocol):
    """Decides whether a request may pass, and counts it when it may."""

    async def check(self, key: str, policy: Policy, cost: int = 1) -> Decision:
        """One decision.

        Args:
            key: Id of the API key.
            policy: Windows that must all have room.
            cost: Units that the request takes; at most every quota.
        """
