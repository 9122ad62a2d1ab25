"""What answers requests of a connection past its parser."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.server.request import Request


class Shortcut(Protocol):
    """Answers requests like one that was answered before; one at a time.

    A connection has one only while it waits for a request, or while the short cut answers one.
    """

    @property
    def busy(self) -> bool:
        """Whether it answers a request."""

    def take(self, data: bytes) -> bool:
        """Answer a request; False when it is not for a short cut, which has ended then."""

    def give_up(self) -> None:
        """Take no more requests, and leave the one under way to the connection."""

    def lost(self) -> None:
        """The client is gone."""


class Begun(Protocol):
    """What a short cut has done for a request that it left to the connection."""

    def drop(self, request: "Request") -> None:
        """Undo it: the client left before anybody went on with it."""
