"""Which rules a conversation is judged by: the tenant's newest, else the product's own."""

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import orjson

from services.nlp.models.conversation import DegradedStep, RulesVersion
from services.nlp.repositories.conversation_rules import ConversationRulesRepository
from services.nlp.services.conversation.reading import (
    BUILTIN_VERSION,
    builtin_document,
    parse_rules,
)
from services.nlp.services.conversation.transcript import RuleSet
from shared.caller import Caller
from shared.logging import get_logger
from shared.problem import InvalidField, NotFound, Unavailable

_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_KEPT = 32
"""Rules made ready: some megabytes each."""
_TENANTS_KNOWN = 10_000
_logger = get_logger(__name__)


class ConversationRules:
    """Reads, writes and prepares versions of rules.

    Args:
        repository: Where they are kept.
        workers: For checking and preparing them: both take tens of milliseconds.
    """

    def __init__(self, repository: ConversationRulesRepository, workers: Executor) -> None:
        self._repository = repository
        self._workers = workers
        self._ready: OrderedDict[tuple[str, str], RuleSet] = OrderedDict()
        self._last_known: OrderedDict[str, str] = OrderedDict()

    async def in_force(self, tenant_id: str) -> RulesVersion:
        """The rules that a tenant's conversations are judged by.

        Raises:
            Unavailable: The database does not answer.
        """
        number = await self._repository.latest_number(tenant_id)
        return await self.get(tenant_id, BUILTIN_VERSION if number is None else str(number))

    async def get(self, tenant_id: str, version: str) -> RulesVersion:
        """A version, as it was written.

        Raises:
            NotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        if version == BUILTIN_VERSION:
            return RulesVersion(version, None, builtin_document())
        found = None
        if _NUMBER.fullmatch(version):
            found = await self._repository.get(tenant_id, int(version))
        if found is None:
            raise NotFound("There are no such rules.", code="rules_not_found")
        return found

    async def put(self, caller: Caller, document: Mapping[str, Any]) -> RulesVersion:
        """Make a document the rules in force; the same document again changes nothing.

        Raises:
            InvalidRules: It is none.
            Conflict: The tenant has too many versions, or writes two at once.
            Unavailable: The database does not answer.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._workers, parse_rules, document)
        digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
        written = await self._repository.add(caller, document, digest)
        _logger.info(
            "rules for conversations written",
            tenant=caller.tenant_id,
            actor=caller.subject,
            version=written.version,
        )
        return written

    async def ready(
        self, tenant_id: str, version: str | None
    ) -> tuple[RuleSet, DegradedStep | None]:
        """Rules made ready for use.

        While the database does not answer, the last rules known here are in force, else the
        product's; that is then said.

        Args:
            tenant_id: Whose.
            version: Which; None for those in force.

        Raises:
            InvalidField: There is no such version.
            Unavailable: The database does not answer, and it is not at hand.
        """
        if version is not None:
            try:
                return await self._prepared(tenant_id, version), None
            except NotFound:
                raise InvalidField(
                    "There are no such rules.",
                    pointer="/rules/version",
                    code="unknown_rules_version",
                ) from None
        try:
            number = await self._repository.latest_number(tenant_id)
            current = BUILTIN_VERSION if number is None else str(number)
            rules = await self._prepared(tenant_id, current)
        except Unavailable as outage:
            known = self._last_known.get(tenant_id, BUILTIN_VERSION)
            if (tenant_id, known) not in self._ready:
                known = BUILTIN_VERSION
            return await self._prepared(tenant_id, known), DegradedStep("rules", outage.code)
        self._last_known[tenant_id] = current
        self._last_known.move_to_end(tenant_id)
        if len(self._last_known) > _TENANTS_KNOWN:
            self._last_known.popitem(last=False)
        return rules, None

    async def _prepared(self, tenant_id: str, version: str) -> RuleSet:
        # The product's own are the same for everybody.
        key = ("" if version == BUILTIN_VERSION else tenant_id, version)
        rules = self._ready.get(key)
        if rules is None:
            document = (await self.get(tenant_id, version)).document
            loop = asyncio.get_running_loop()
            rules = await loop.run_in_executor(self._workers, _prepare, version, document)
            self._ready[key] = rules
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return rules


def _prepare(version: str, document: Mapping[str, Any]) -> RuleSet:
    return RuleSet.of(version, parse_rules(document))
