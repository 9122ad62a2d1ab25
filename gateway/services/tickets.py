"""Short-lived single-use tickets: what a browser puts into a WebSocket's URL instead of a key."""

import secrets
from typing import Protocol

import orjson

from gateway.exceptions import CredentialRefused, RedisUnavailable
from gateway.models.keys import BASE62, SECRET_LENGTH
from gateway.models.principal import Principal
from gateway.repositories.tickets import TicketStore
from gateway.services.hashing import KeyHasher
from shared.problem import Unavailable

LIFETIME_S = 30
_PREFIX = "sgt_"


class Senders(Protocol):
    """Knows senders as they are now."""

    async def principal_of(self, key_id: str) -> Principal:
        """The sender who holds a key."""

    async def principal_of_session(self, session_id: str, user_id: str) -> Principal:
        """The user of a session."""


class TicketService:
    """Issues and redeems tickets.

    Args:
        store: Where they wait.
        hasher: Peppers: a ticket is nowhere stored as it is.
        senders: Looks senders up afresh, so that a ticket is worth no more than its sender.
    """

    def __init__(self, store: TicketStore, hasher: KeyHasher, senders: Senders) -> None:
        self._store = store
        self._hasher = hasher
        self._senders = senders

    async def issue(self, principal: Principal) -> tuple[str, int]:
        """A ticket, and the seconds in which it can be used.

        Raises:
            Unavailable: It cannot be kept.
        """
        ticket = _PREFIX + "".join(secrets.choice(BASE62) for _ in range(SECRET_LENGTH))
        bound = orjson.dumps([principal.identity.subject, principal.session_id])
        try:
            await self._store.put(self._name(ticket), bound, LIFETIME_S)
        except RedisUnavailable:
            raise _unavailable() from None
        return ticket, LIFETIME_S

    async def redeem(self, ticket: str) -> Principal:
        """The sender of a ticket, once.

        Raises:
            CredentialRefused: Code `ticket_invalid`, or what the sender's key or session gives.
            Unavailable: Nobody can say.
        """
        try:
            bound = await self._store.take(self._name(ticket))
        except RedisUnavailable:
            raise _unavailable() from None
        if bound is None:
            raise CredentialRefused(
                "The ticket is unknown, used or too old.", code="ticket_invalid"
            )
        subject, session_id = orjson.loads(bound)
        return await self._again(subject, session_id)

    async def sender_now(self, principal: Principal) -> Principal:
        """A sender as it is now, whose ticket was redeemed before.

        Raises:
            SpeechgateError: What the sender's key or session gives.
        """
        return await self._again(principal.identity.subject, principal.session_id)

    async def _again(self, subject: str, session_id: str | None) -> Principal:
        if session_id is None:
            return await self._senders.principal_of(subject)
        return await self._senders.principal_of_session(session_id, subject.partition(":")[2])

    def _name(self, ticket: str) -> str:
        return self._hasher.digest(ticket).hex()


def _unavailable() -> Unavailable:
    return Unavailable("Tickets cannot be used at the moment.", code="tickets_unavailable")
