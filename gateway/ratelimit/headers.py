"""`RateLimit-Policy`, `RateLimit` and `Retry-After` (draft-ietf-httpapi-ratelimit-headers)."""

from functools import lru_cache

from gateway.models.limits import Decision, Policy
from gateway.ratelimit.protocol import MICROSECONDS

Header = tuple[bytes, bytes]


def _ceil_seconds(microseconds: int) -> int:
    return -(-microseconds // MICROSECONDS)


@lru_cache(maxsize=1024)
def policy_header(policy: Policy) -> Header:
    """Every window of the policy."""
    items = (f'"{window.name}";q={window.quota};w={window.seconds}' for window in policy)
    return b"ratelimit-policy", ", ".join(items).encode()


def limit_headers(policy: Policy, decision: Decision) -> list[Header]:
    """The policy, and what is left of the tightest window: the one with the fewest units left."""
    remaining = decision.remaining
    tightest = remaining.index(min(remaining))
    state = (
        f'"{policy[tightest].name}";r={remaining[tightest]}'
        f";t={_ceil_seconds(decision.reset_us[tightest])}"
    )
    return [policy_header(policy), (b"ratelimit", state.encode())]


def retry_after_s(decision: Decision) -> int:
    """Whole seconds after which the same request passes; at least 1."""
    return max(1, _ceil_seconds(decision.retry_after_us))
