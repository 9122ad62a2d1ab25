"""`RateLimit-Policy`, `RateLimit` and `Retry-After` (draft-ietf-httpapi-ratelimit-headers)."""

from gateway.models.limits import Decision, Policy
from gateway.ratelimit.protocol import MICROSECONDS
from gateway.ratelimit.rules import Rule, rule_of

Header = tuple[bytes, bytes]


def policy_header(policy: Policy) -> Header:
    """Every window of the policy."""
    return rule_of(policy).header


def limit_headers(policy: Policy, decision: Decision) -> list[Header]:
    """The policy, and what is left of the tightest window: the one with the fewest units left."""
    rule = rule_of(policy)
    return [rule.header, (b"ratelimit", _left(rule, decision))]


def limit_lines(rule: Rule, decision: Decision) -> bytes:
    """`limit_headers` as they are sent."""
    return b"%bratelimit: %b\r\n" % (rule.line, _left(rule, decision))


def _left(rule: Rule, decision: Decision) -> bytes:
    remaining = decision.remaining
    left = min(remaining)
    tightest = remaining.index(left)
    # Whole seconds, rounded up.
    seconds = -(-decision.reset_us[tightest] // MICROSECONDS)
    return b"%b%d;t=%d" % (rule.states[tightest], left, seconds)


def retry_after_s(decision: Decision) -> int:
    """Whole seconds after which the same request passes; at least 1."""
    return max(1, -(-decision.retry_after_us // MICROSECONDS))
