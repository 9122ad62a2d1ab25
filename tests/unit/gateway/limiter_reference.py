"""The definition of the sliding windows in its plainest form; limiters are compared with it."""

from gateway.models.limits import Decision, Policy

SECOND_US = 1_000_000


class ReferenceLimiter:
    """Keeps every accepted unit of every key for ever and counts by looking at each."""

    def __init__(self) -> None:
        self._accepted: dict[str, list[int]] = {}

    def check(self, key: str, policy: Policy, cost: int, now: int) -> Decision:
        log = self._accepted.setdefault(key, [])

        def inside(seconds: int, at: int) -> list[int]:
            return [t for t in log if at - t < seconds * SECOND_US]

        violated = tuple(len(inside(w.seconds, now)) + cost > w.quota for w in policy)
        allowed = not any(violated)
        retry = 0
        if allowed:
            log.extend([now] * cost)
        else:
            # The first moment at which every window has room: when some unit leaves one.
            moments = sorted({t + w.seconds * SECOND_US for w in policy for t in log})
            retry = next(
                moment - now
                for moment in moments
                if moment > now
                and all(len(inside(w.seconds, moment)) + cost <= w.quota for w in policy)
            )
        counted = [inside(w.seconds, now) for w in policy]
        return Decision(
            allowed,
            retry,
            tuple(max(w.quota - len(units), 0) for w, units in zip(policy, counted, strict=True)),
            tuple(
                min(units) + w.seconds * SECOND_US - now if units else 0
                for w, units in zip(policy, counted, strict=True)
            ),
            violated,
        )
