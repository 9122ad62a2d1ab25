"""Feature flags for the callers of the API and the command line."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.exceptions import DatabaseUnreachable, FlagNotFound, FlagsUnavailable
from gateway.flags.client import FlagClient
from gateway.flags.document import NAME, FlagDocument, MalformedFlags
from gateway.flags.protocol import EvaluationSink
from gateway.models.accounts import Page
from gateway.models.flags import Flag, FlagContext, FlagEvaluation, FlagKind, FlagState
from gateway.models.principal import Principal
from gateway.repositories.store import Database
from shared.db.base import utc_now
from shared.logging import get_logger
from shared.problem import InvalidField

_RETRY_S = 5.0
_ZEROS: Mapping[FlagKind, Any] = {
    FlagKind.BOOLEAN: False,
    FlagKind.STRING: "",
    FlagKind.NUMBER: 0,
    FlagKind.OBJECT: {},
}
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Synchronized:
    """What a synchronization did."""

    flags: int
    changed: tuple[str, ...]
    state: FlagState
    synced_at: datetime


class FlagService:
    """Evaluates, lists and synchronizes flags.

    Args:
        client: What evaluates them.
        database: Keeps the last known flags.
        sink: Keeps the evaluations.
    """

    def __init__(self, client: FlagClient, database: Database, sink: EvaluationSink) -> None:
        self._client = client
        self._database = database
        self._sink = sink
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        client.on_change(self._changed.set)

    @property
    def state(self) -> FlagState:
        """How well the flags are known."""
        return self._client.state

    def evaluate(
        self,
        principal: Principal,
        name: str,
        context: FlagContext,
        default: Any = None,
        kind: FlagKind | None = None,
    ) -> FlagEvaluation:
        """What a flag says; from memory.

        Args:
            principal: Who asks; the evaluation is kept under its name.
            name: Of the flag; an unknown one gives the default.
            context: Whom it is evaluated for.
            default: The answer when the flag has none; None where any will do.
            kind: Type of the value; the default's when absent, else the flag's.
        """
        evaluation = evaluate_as(self._client, name, context, default, kind)
        self._sink.record(evaluation, context, principal.identity, "api")
        return evaluation

    def check_environment(self, environment: str | None) -> None:
        """Refuse to answer for an environment whose flags are not here.

        Raises:
            InvalidField: Code `unknown_environment`.
        """
        if environment is not None and environment != self._client.environment:
            raise InvalidField(
                "This gateway has the flags of another environment.",
                pointer="/environment",
                code="unknown_environment",
            )

    def list(self, limit: int, cursor: str | None = None) -> Page[Flag]:
        """A page of the flags, by name.

        Raises:
            InvalidField: Code `bad_cursor`.
        """
        if cursor is not None and not NAME.fullmatch(cursor):
            raise InvalidField(
                "This is no cursor of this list.", pointer="/cursor", code="bad_cursor"
            )
        flags = self._client.source.document.flags
        names = sorted(name for name in flags if cursor is None or name > cursor)
        items = tuple(flags[name] for name in names[:limit])
        return Page(items, items[-1].name if len(names) > limit else None)

    def get(self, name: str) -> Flag:
        """A flag.

        Raises:
            FlagNotFound: There is none of this name.
        """
        flag = self._client.source.document.flags.get(name)
        if flag is None:
            raise FlagNotFound
        return flag

    async def sync(self) -> Synchronized:
        """Ask the source now, and keep its flags in the database.

        Raises:
            FlagsUnavailable: The source or the database does not answer.
        """
        before = self._client.source.document
        await self._client.source.refresh()
        document = self._client.source.document
        try:
            await self.store()
        except DatabaseUnreachable as error:
            raise FlagsUnavailable("The flags were read but could not be stored.") from error
        changed = tuple(before.changed(document))
        return Synchronized(len(document.flags), changed, self._client.state, utc_now())

    async def store(self) -> None:
        """Keep the flags in the database, for a start without their source.

        Raises:
            DatabaseUnreachable: It does not answer.
        """
        source = self._client.source
        if source.source == "none" or source.refreshed_at is None:
            return
        flags: Sequence[Any] = source.document.store()
        async with self._database.transaction() as store:
            await store.flags.replace(self._client.environment, source.source, flags, utc_now())

    def start(self) -> None:
        """Begin to keep the flags in the database whenever they change."""
        self._changed.set()
        self._task = asyncio.create_task(self._keep(), name="flags-store")

    async def stop(self) -> None:
        """Keep them no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.store()
            except DatabaseUnreachable:
                self._changed.set()
                await asyncio.sleep(_RETRY_S)
            except Exception as error:
                _logger.error("flags were not stored", exc_info=error)


def evaluate_as(
    client: FlagClient, name: str, context: FlagContext, default: Any, kind: FlagKind | None
) -> FlagEvaluation:
    """An evaluation whose kind and default may be left open; see `FlagService.evaluate`."""
    if kind is None:
        kind = kind_of(default) or client.kind_of(name)
    given = _ZEROS[kind] if default is None else default
    evaluation = client.evaluate(name, context, given, kind)
    silent = evaluation.variant is None and kind is not FlagKind.BOOLEAN
    if default is None and (silent or evaluation.error_code is not None):
        return replace(evaluation, value=None)
    return evaluation


def kind_of(default: Any) -> FlagKind | None:
    """The kind of a caller's default; None when it says nothing."""
    if default is None:
        return None
    if isinstance(default, bool):
        return FlagKind.BOOLEAN
    if isinstance(default, str):
        return FlagKind.STRING
    return FlagKind.NUMBER if isinstance(default, int | float) else FlagKind.OBJECT


async def last_known(database: Database, environment: str, source: str) -> FlagDocument | None:
    """The flags that the database keeps; None when it has none, or does not answer."""
    stored: Sequence[Any] = ()
    with contextlib.suppress(DatabaseUnreachable):
        async with database.transaction(read_only=True) as store:
            stored = await store.flags.list(environment, source)
    if not stored:
        return None
    try:
        return FlagDocument.restore(stored)
    except MalformedFlags:
        _logger.warning("the flags in the database are unusable")
        return None
