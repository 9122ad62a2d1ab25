"""Requests in flight of each holder, in one process."""

from collections.abc import Sequence

from gateway.models.limits import Cap, Lease

_Holder = tuple[str, str]


class InFlight:
    """Places that requests hold.

    Args:
        life_us: A place that is neither released nor renewed is free again after this.
    """

    def __init__(self, life_us: int) -> None:
        self._life_us = life_us
        self._ends: dict[_Holder, dict[str, int]] = {}

    def refusing(self, caps: Sequence[Cap], now: int) -> Cap | None:
        """The first cap that has no place; None when all have one."""
        for cap in caps:
            ends = self._ends.get((cap.name, cap.holder))
            if ends is None or len(ends) < cap.limit:
                continue
            for lease_id in [lease_id for lease_id, end in ends.items() if end <= now]:
                del ends[lease_id]
            if len(ends) >= cap.limit:
                return cap
        return None

    def hold(self, lease: Lease, now: int) -> None:
        """Take a place under each of a lease's caps, or keep it for longer."""
        for cap in lease.caps:
            self._ends.setdefault((cap.name, cap.holder), {})[lease.id] = now + self._life_us

    def release(self, lease: Lease) -> None:
        """Give the places back."""
        for cap in lease.caps:
            holder = cap.name, cap.holder
            ends = self._ends.get(holder)
            if ends is not None:
                ends.pop(lease.id, None)
                if not ends:
                    del self._ends[holder]

    def held(self) -> list[Lease]:
        """Every lease that holds a place."""
        caps: dict[str, list[Cap]] = {}
        for (name, holder), ends in self._ends.items():
            for lease_id in ends:
                caps.setdefault(lease_id, []).append(Cap(name, holder, 0))
        return [Lease(lease_id, tuple(held)) for lease_id, held in caps.items()]
