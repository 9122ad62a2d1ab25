"""What this process remembers of senders: fresh for two seconds, then only for an outage."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.models.principal import KeyRecord, Principal


@dataclass(slots=True)
class Remembered:
    """One cached answer.

    Attributes:
        record: What is known of a key; None for one that does not exist, and for users.
        principal: Made once, so that a hit builds nothing; None for whoever is refused.
        stored_at: Monotonic seconds.
        holder: Whom an invalidation names: a key's id, or `user:<id>`.
        renewed: It has been read again, or is being.
    """

    record: KeyRecord | None
    principal: Principal | None
    stored_at: float
    holder: str
    renewed: bool = False


class LocalKeys:
    """An LRU map from a credential's HMAC to what is known of its sender.

    Args:
        max_entries: Beyond this the least recently stored is forgotten.
        max_age_s: Older entries are not `fresh`.
    """

    def __init__(self, *, max_entries: int = 20_000, max_age_s: float = 2.0) -> None:
        self._entries: OrderedDict[bytes, Remembered] = OrderedDict()
        self._invalidated: OrderedDict[str, float] = OrderedDict()
        self._all_invalidated_at = float("-inf")
        self._max_entries = max_entries
        self._max_age_s = max_age_s

    def fresh(self, digest: bytes, now: float) -> Remembered | None:
        """An entry that may be believed without asking anybody."""
        entry = self._entries.get(digest)
        return entry if entry and now - entry.stored_at < self._max_age_s else None

    def stale(self, digest: bytes) -> Remembered | None:
        """An entry of any age."""
        return self._entries.get(digest)

    def put(self, digest: bytes, entry: Remembered, read_at: float) -> None:
        """Remember what was read at `read_at`, unless the holder was invalidated since then."""
        invalidated_at = self._invalidated.get(entry.holder, float("-inf"))
        if read_at <= max(self._all_invalidated_at, invalidated_at):
            return
        known = self._entries.get(digest)
        if known is not None and known.principal == entry.principal:
            # The same object as long as nothing changes: short cuts go by it.
            entry.principal = known.principal
        self._entries[digest] = entry
        self._entries.move_to_end(digest)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def invalidate(self, holder: str, now: float) -> None:
        """Forget a sender; reads that began before `now` will not bring it back."""
        self._invalidated[holder] = now
        self._invalidated.move_to_end(holder)
        if len(self._invalidated) > self._max_entries:
            self._invalidated.popitem(last=False)
        stale = [digest for digest, entry in self._entries.items() if entry.holder == holder]
        for digest in stale:
            del self._entries[digest]

    def expire_all(self, now: float) -> None:
        """Believe nothing without asking: invalidations may have been missed.

        The entries stay for a database outage.
        """
        self._all_invalidated_at = now
        for digest, entry in self._entries.items():
            self._entries[digest] = Remembered(
                entry.record, entry.principal, float("-inf"), entry.holder
            )
