"""What this process remembers of keys: fresh for two seconds, then only for a database outage."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.models.principal import KeyRecord, Principal


@dataclass(frozen=True, slots=True)
class Remembered:
    """One cached answer.

    Attributes:
        record: None for a key that does not exist.
        principal: Made once, so that a hit builds nothing.
        stored_at: Monotonic seconds.
    """

    record: KeyRecord | None
    principal: Principal | None
    stored_at: float


class LocalKeys:
    """An LRU map from a key's HMAC to what is known of it.

    Args:
        max_entries: Beyond this the least recently used is forgotten.
        max_age_s: Older entries are not `fresh`.
    """

    def __init__(self, *, max_entries: int = 20_000, max_age_s: float = 2.0) -> None:
        self._entries: OrderedDict[str, Remembered] = OrderedDict()
        self._invalidated: OrderedDict[str, float] = OrderedDict()
        self._all_invalidated_at = float("-inf")
        self._max_entries = max_entries
        self._max_age_s = max_age_s

    def fresh(self, fingerprint: str, now: float) -> Remembered | None:
        """An entry that may be believed without asking anybody."""
        entry = self._entries.get(fingerprint)
        return entry if entry and now - entry.stored_at < self._max_age_s else None

    def stale(self, fingerprint: str) -> Remembered | None:
        """An entry of any age."""
        return self._entries.get(fingerprint)

    def put(self, fingerprint: str, key_id: str, entry: Remembered, read_at: float) -> None:
        """Remember what was read at `read_at`, unless the key was invalidated since then."""
        if read_at <= max(self._all_invalidated_at, self._invalidated.get(key_id, float("-inf"))):
            return
        self._entries[fingerprint] = entry
        self._entries.move_to_end(fingerprint)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def invalidate(self, key_id: str, now: float) -> None:
        """Forget a key; reads that began before `now` will not bring it back."""
        self._invalidated[key_id] = now
        self._invalidated.move_to_end(key_id)
        if len(self._invalidated) > self._max_entries:
            self._invalidated.popitem(last=False)
        stale = [
            fingerprint
            for fingerprint, entry in self._entries.items()
            if entry.record and entry.record.key_id == key_id
        ]
        for fingerprint in stale:
            del self._entries[fingerprint]

    def expire_all(self, now: float) -> None:
        """Believe nothing without asking: invalidations may have been missed.

        The entries stay for a database outage.
        """
        self._all_invalidated_at = now
        for fingerprint, entry in self._entries.items():
            self._entries[fingerprint] = Remembered(entry.record, entry.principal, float("-inf"))
