"""The definition of windows and caps in its plainest form; limiters are compared with it."""

from bisect import bisect_left
from collections.abc import Sequence

from gateway.models.limits import Cap, Decision, Lease, Policy

SECOND_US = 1_000_000


class ReferenceLimiter:
    """Keeps every accepted unit that may still count and counts by looking at each."""

    def __init__(self, lease_life_s: int = 150) -> None:
        self._accepted: dict[str, list[int]] = {}
        self._places: dict[tuple[str, str], dict[str, int]] = {}
        self._life_us = lease_life_s * SECOND_US
        self._leases = 0

    def check(
        self, key: str, policy: Policy, cost: int, now: int, caps: Sequence[Cap] = ()
    ) -> Decision:
        longest = max(w.seconds for w in policy) * SECOND_US
        log = [t for t in self._accepted.get(key, ()) if now - t < longest]
        self._accepted[key] = log

        def inside(seconds: int, at: int) -> list[int]:
            width = seconds * SECOND_US
            return [t for t in log if at - t < width]

        def passes(moment: int) -> bool:
            return all(len(inside(w.seconds, moment)) + cost <= w.quota for w in policy)

        violated = tuple(len(inside(w.seconds, now)) + cost > w.quota for w in policy)
        retry, lease, capped = 0, None, None
        if any(violated):
            # The first moment at which every window has room: when some unit leaves one. Room only
            # grows while nothing is accepted.
            moments = sorted({t + w.seconds * SECOND_US for w in policy for t in log})
            retry = moments[bisect_left(moments, True, key=passes)] - now  # noqa: FBT003
        elif full := [cap for cap in caps if self._in_flight(cap, now) >= cap.limit]:
            retry, capped = SECOND_US, full[0].name
        else:
            log.extend([now] * cost)
            if caps:
                self._leases += 1
                lease = Lease(str(self._leases), tuple(caps))
                self.hold(lease, now)
        counted = [inside(w.seconds, now) for w in policy]
        return Decision(
            retry == 0,
            retry,
            tuple(max(w.quota - len(units), 0) for w, units in zip(policy, counted, strict=True)),
            tuple(
                min(units) + w.seconds * SECOND_US - now if units else 0
                for w, units in zip(policy, counted, strict=True)
            ),
            violated,
            lease,
            capped,
        )

    def hold(self, lease: Lease, now: int) -> None:
        for cap in lease.caps:
            self._places.setdefault(cap[:2], {})[lease.id] = now + self._life_us

    def release(self, lease: Lease) -> None:
        for cap in lease.caps:
            self._places.get(cap[:2], {}).pop(lease.id, None)

    def _in_flight(self, cap: Cap, now: int) -> int:
        places = self._places.get(cap[:2], {})
        self._places[cap[:2]] = {lease: end for lease, end in places.items() if end > now}
        return len(self._places[cap[:2]])
