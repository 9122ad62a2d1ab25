"""The lexicon of a tenant: kept, and made ready for speech."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from prometheus_client import Counter

from services.tts.exceptions import InvalidPhrase
from services.tts.models.lexicon import LexiconEntry, LexiconPage, Spelling
from services.tts.repositories.lexicon import LexiconRepository
from services.tts.services.normalization import FIXED
from services.tts.services.pronunciation import MOST_TOKENS, Pronunciations, tokens_of
from shared.caller import Caller
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.text.clean import clean_text
from shared.text.languages import primary_language

_MOST_TENANTS = 1_000
_ANSWER_S = 1.0
"""How long speech waits for the database."""
_FEW = 50
"""More entries than these are made ready in a thread: they would hold up the event loop."""
_logger = get_logger(__name__)


class _Lexicon:
    """The entries of a tenant, made ready for each language when it is first asked for.

    Not for all at once: each language has its own entries and those of every language, so that a
    thousand entries could become hundreds of thousands.
    """

    def __init__(self, spellings: Sequence[Spelling]) -> None:
        self.spellings = spellings
        self._languages = {one.language for one in spellings}
        self._ready: dict[str | None, Pronunciations] = {}

    async def of(self, language: str) -> Pronunciations:
        """What is said in a language, an ISO 639 code without a region."""
        wanted = language if language in self._languages else None
        if wanted not in self._ready:
            aliases = aliases_of(self.spellings, wanted)
            self._ready[wanted] = (
                Pronunciations(aliases)
                if len(aliases) <= _FEW
                else await asyncio.to_thread(Pronunciations, aliases)
            )
        return self._ready[wanted]


class LexiconMetrics:
    """How often lexicons are asked for, and changed."""

    def __init__(self, metrics: Metrics) -> None:
        self._reads = Counter(
            "speechgate_tts_lexicon_reads",
            "Lexicons asked for by speech: from memory, from the database, or neither",
            ["source"],
            registry=metrics.registry,
        )
        self._changes = Counter(
            "speechgate_tts_lexicon_changes",
            "Entries that were created, replaced or deleted",
            ["change"],
            registry=metrics.registry,
        )

    def read(self, source: str) -> None:
        """A lexicon was asked for: `memory`, `database`, `stale` or `unavailable`."""
        self._reads.labels(source).inc()

    def changed(self, change: str) -> None:
        """An entry was `created`, `replaced` or `deleted`."""
        self._changes.labels(change).inc()


class LexiconService:
    """Keeps lexicons; remembers each for a few seconds, for every speech asks for one.

    Args:
        repository: Where they are stored.
        metrics: What counts.
        remembered_s: How long another process's change may stay unknown here.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        repository: LexiconRepository,
        metrics: LexiconMetrics,
        remembered_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._repository = repository
        self._metrics = metrics
        self._remembered_s = remembered_s
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, _Lexicon]] = OrderedDict()
        self._changes = 0

    async def create(self, caller: Caller, spelling: Spelling) -> LexiconEntry:
        """A new entry.

        Raises:
            InvalidPhrase: The phrase has no word, or too many; or nothing is left of the alias.
            LexiconEntryExists: There is one for this phrase and language.
            LexiconFull: The tenant has too many.
            Unavailable: The database does not answer.
        """
        made = await self._repository.add(caller, checked(spelling))
        self._changed(caller, "created", made.id)
        return made

    async def replace(self, caller: Caller, entry_id: str, spelling: Spelling) -> LexiconEntry:
        """The entry with other contents.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            SpeechgateError: As of `create`.
        """
        made = await self._repository.replace(caller.tenant_id, entry_id, checked(spelling))
        self._changed(caller, "replaced", entry_id)
        return made

    async def delete(self, caller: Caller, entry_id: str) -> None:
        """Remove an entry.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        await self._repository.delete(caller.tenant_id, entry_id)
        self._changed(caller, "deleted", entry_id)

    async def get(self, caller: Caller, entry_id: str) -> LexiconEntry:
        """An entry.

        Raises:
            LexiconEntryNotFound: There is none, or it is another tenant's.
            Unavailable: The database does not answer.
        """
        return await self._repository.get(caller.tenant_id, entry_id)

    async def list(
        self, caller: Caller, limit: int, cursor: str | None, language: str | None
    ) -> LexiconPage:
        """A page, newest first.

        Raises:
            Unavailable: The database does not answer.
        """
        return await self._repository.page(caller.tenant_id, limit, cursor, language)

    async def pronunciations(self, caller: Caller, language: str) -> Pronunciations:
        """What is spoken in the tenant's own way in a language.

        Speech does not wait for a database that is down: the last that was known counts, or
        nothing.

        Args:
            caller: Whose tenant's lexicon.
            language: ISO 639 code, with a region if wanted.
        """
        known = await self._of(caller.tenant_id)
        return await known.of(primary_language(language))

    async def _of(self, tenant_id: str) -> _Lexicon:
        known = self._known.get(tenant_id)
        now = self._clock()
        if known is not None and now < known[0]:
            self._known.move_to_end(tenant_id)
            self._metrics.read("memory")
            return known[1]
        changes = self._changes
        try:
            async with asyncio.timeout(_ANSWER_S):
                spellings = await self._repository.spellings(tenant_id)
        except (Unavailable, TimeoutError):
            source = "stale" if known else "unavailable"
            self._metrics.read(source)
            _logger.warning("the lexicon cannot be read", source=source)
            found = known[1] if known else _Lexicon([])
        else:
            self._metrics.read("database")
            # What was made ready stays so while nothing changes.
            same = known is not None and known[1].spellings == spellings
            found = known[1] if known is not None and same else _Lexicon(spellings)
        # What was read before a change must not be remembered after it.
        if changes == self._changes:
            self._known[tenant_id] = (now + self._remembered_s, found)
            self._known.move_to_end(tenant_id)
            while len(self._known) > _MOST_TENANTS:
                self._known.popitem(last=False)
        return found

    def _changed(self, caller: Caller, change: str, entry_id: str) -> None:
        self._changes += 1
        self._known.pop(caller.tenant_id, None)
        self._metrics.changed(change)
        _logger.info("lexicon changed", change=change, entry_id=entry_id)


def checked(spelling: Spelling) -> Spelling:
    """The spelling as it is kept: composed, with single spaces.

    Raises:
        InvalidPhrase: The phrase has no word, or too many; or nothing is left of the alias.
    """
    phrase, alias = (
        # The placeholder's own character has no meaning in a text, and stands for nothing here.
        " ".join(clean_text(text.replace(FIXED, "")).split())
        for text in (spelling.phrase, spelling.alias)
    )
    tokens = tokens_of(phrase)
    if not any(map(str.isalnum, phrase)):
        raise InvalidPhrase("A phrase has a letter or a digit.", "/phrase")
    if len(tokens) > MOST_TOKENS:
        raise InvalidPhrase(f"A phrase has at most {MOST_TOKENS} words and marks.", "/phrase")
    if not any(map(str.isalnum, alias)):
        raise InvalidPhrase("An alias has a letter or a digit.", "/alias")
    return Spelling(phrase, alias, spelling.language)


def aliases_of(spellings: Sequence[Spelling], language: str | None) -> dict[str, str]:
    """What is said in a language; None for one without entries of its own.

    An entry of a language is before one of every language.
    """
    found = {one.phrase: one.alias for one in spellings if one.language is None}
    if language is not None:
        found |= {one.phrase: one.alias for one in spellings if one.language == language}
    return found
