"""Glossaries of tenants: kept in the database, and at hand for every translation."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.nlp.models.glossary import Glossary, GlossaryHead
from services.nlp.models.languages import Pair
from services.nlp.repositories.glossaries import GlossaryRepository
from services.nlp.services.documents.terms import Terms
from services.nlp.services.language_codes import plain_pair
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import Unavailable

FRESH_S = 2.0
"""How long another process may not know of a change."""
_ANSWER_S = 1.0
"""How long a translation waits for the database."""
_MOST_PAIRS = 4_096
_MOST_TERMS = 50_000
_NONE = Terms({})
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a pair's glossary.

    Attributes:
        read_at: Monotonic seconds.
        changed_at: Of the glossary; None if there was none.
        terms: Ready for use.
    """

    read_at: float
    changed_at: datetime | None
    terms: Terms


class GlossaryService:
    """Keeps glossaries, and remembers the ones in use.

    Args:
        repository: Where they are stored.
        clock: Monotonic seconds.
    """

    def __init__(
        self, repository: GlossaryRepository, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._known: OrderedDict[tuple[str, Pair], _Known] = OrderedDict()
        self._terms_known = 0
        self._changes = 0
        self._asked_in_vain = float("-inf")

    async def terms(self, tenant_id: str, pair: Pair) -> Terms:
        """The tenant's terms for a pair; at most `FRESH_S` behind, longer while no database is.

        Raises:
            Unavailable: The database does not answer, and nothing was known before.
        """
        key = (tenant_id, pair)
        known = self._known.get(key)
        now = self._clock()
        if known is not None and now - known.read_at < FRESH_S:
            return known.terms
        if now - self._asked_in_vain >= FRESH_S:
            changes = self._changes
            try:
                async with asyncio.timeout(_ANSWER_S):
                    changed_at, terms = await self._read(tenant_id, pair, known)
            except (Unavailable, TimeoutError) as error:
                self._asked_in_vain = now
                _logger.warning(
                    "glossaries may be out of date: the database does not answer",
                    error=type(error).__name__,
                )
            else:
                # What was read before a change is not remembered after it.
                if changes == self._changes:
                    self._remember(key, _Known(now, changed_at, terms))
                return terms
        if known is None:
            raise Unavailable("The database does not answer.", code="database_unavailable")
        return known.terms

    async def _read(
        self, tenant_id: str, pair: Pair, known: _Known | None
    ) -> tuple[datetime | None, Terms]:
        """When the glossary changed last, and its terms; they are read only if that is new."""
        changed_at = await self._repository.changed_at(tenant_id, pair)
        if known is not None and known.changed_at == changed_at:
            return changed_at, known.terms
        glossary = await self._repository.of_pair(tenant_id, pair) if changed_at else None
        if glossary is None:
            return None, _NONE
        # Thousands of terms would hold up the event loop.
        return glossary.head.updated_at, await asyncio.to_thread(Terms, glossary.terms)

    async def add(self, caller: Caller, pair: Pair, terms: Mapping[str, str]) -> Glossary:
        """A new glossary.

        Raises:
            Conflict: The pair has one, or something is too many.
            Unavailable: The database does not answer.
        """
        made = await self._repository.add(caller, plain_pair(pair), terms)
        self._note(caller, "glossary created", made.head)
        return made

    async def list(self, caller: Caller) -> list[GlossaryHead]:
        """All of the tenant's, by pair."""
        return await self._repository.list(caller.tenant_id)

    async def get(self, caller: Caller, glossary_id: str) -> Glossary:
        """A glossary of the tenant.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        return await self._repository.get(caller.tenant_id, glossary_id)

    async def change(
        self,
        caller: Caller,
        glossary_id: str,
        changes: Mapping[str, str | None],
        *,
        replace: bool,
    ) -> Glossary:
        """The glossary with other terms; None removes one.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Conflict: The terms are too many.
        """
        changed = await self._repository.change(
            caller.tenant_id, glossary_id, changes, replace=replace
        )
        self._note(caller, "glossary changed", changed.head)
        return changed

    async def delete(self, caller: Caller, glossary_id: str) -> None:
        """Remove a glossary.

        Raises:
            NotFound: There is none, or it is another tenant's.
        """
        gone = await self._repository.get(caller.tenant_id, glossary_id)
        await self._repository.delete(caller.tenant_id, glossary_id)
        self._note(caller, "glossary deleted", gone.head)

    def _note(self, caller: Caller, what: str, head: GlossaryHead) -> None:
        """One line for each change; this process uses it at once."""
        self._changes += 1
        self._forget((caller.tenant_id, head.pair))
        _logger.info(
            what,
            actor=caller.subject,
            tenant=caller.tenant_id,
            glossary=head.id,
            terms=head.term_count,
        )

    def _remember(self, key: tuple[str, Pair], known: _Known) -> None:
        self._forget(key)
        self._known[key] = known
        self._terms_known += len(known.terms)
        while len(self._known) > _MOST_PAIRS or (
            self._terms_known > _MOST_TERMS and len(self._known) > 1
        ):
            self._forget(next(iter(self._known)))

    def _forget(self, key: tuple[str, Pair]) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._terms_known -= len(known.terms)
