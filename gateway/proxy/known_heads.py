"""What the heads of late mean, for clients that come again on another connection."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from gateway.server.channel import ClientChannel

if TYPE_CHECKING:
    from gateway.proxy.repeat import Repeat

_MAX_HEADS = 256
_MAX_HEAD_BYTES = 2048
_Key = tuple[str, bytes, bytes]


def key_of(channel: ClientChannel, parts: tuple[bytes, bytes]) -> _Key:
    """What a head goes by: services are told the client's address.

    Args:
        channel: The client's connection.
        parts: Of the head; see `repeat.parts_of`.
    """
    return (channel.client[0] if channel.client else "", *parts)


class KnownHeads:
    """The heads that were used last; `repeat.Repeat` says what they mean."""

    def __init__(self) -> None:
        self._repeats: OrderedDict[_Key, Repeat] = OrderedDict()

    def get(self, key: _Key) -> "Repeat | None":
        """What a head means."""
        repeat = self._repeats.get(key)
        if repeat is not None:
            self._repeats.move_to_end(key)
        return repeat

    def put(self, key: _Key, repeat: "Repeat") -> None:
        """Remember it in place of the one that was not used for longest; no large ones."""
        if len(key[1]) + len(key[2]) > _MAX_HEAD_BYTES:
            return
        self._repeats[key] = repeat
        self._repeats.move_to_end(key)
        if len(self._repeats) > _MAX_HEADS:
            self._repeats.popitem(last=False)
