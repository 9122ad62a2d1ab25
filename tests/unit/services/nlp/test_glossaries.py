import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from services.nlp.models.glossary import Glossary, GlossaryHead
from services.nlp.models.languages import Pair
from services.nlp.services.glossaries import FRESH_S, GlossaryService
from shared.caller import Caller
from shared.problem import Unavailable

PAIR = Pair("en", "es")
CALLER = Caller("tenant", "key", "request", "trace")


class Repository:
    """One glossary, and how often its terms were read."""

    def __init__(self) -> None:
        self.glossary: Glossary | None = None
        self.read = self.asked = 0
        self.down = self.hangs = False
        self.while_reading: Callable[[], Awaitable[object]] | None = None

    def put(self, **terms: str) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=len(terms))
        self.glossary = Glossary(GlossaryHead("g", PAIR, len(terms), now, now), terms)

    async def changed_at(self, _tenant: str, _pair: Pair) -> datetime | None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable("down", code="database_unavailable")
        return self.glossary.head.updated_at if self.glossary else None

    async def of_pair(self, _tenant: str, _pair: Pair) -> Glossary | None:
        self.read += 1
        found = self.glossary
        if self.while_reading:
            change, self.while_reading = self.while_reading, None
            await change()
        return found

    async def change(self, *_: object, **__: object) -> Glossary:
        self.put(key="clave", lock="cerradura")
        assert self.glossary
        return self.glossary


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(repository: Repository, clock: Clock) -> GlossaryService:
    return GlossaryService(repository, clock=clock)


async def test_terms_are_read_again_only_when_they_changed(
    service: GlossaryService, repository: Repository, clock: Clock
) -> None:
    repository.put(key="clave")
    for _ in range(3):
        assert (await service.terms("tenant", PAIR)).entries == {"key": "clave"}
        clock.now += FRESH_S + 1
    assert repository.read == 1
    repository.put(key="clave", lock="cerradura")
    assert len(await service.terms("tenant", PAIR)) == 2
    repository.glossary = None
    assert len(await service.terms("tenant", PAIR)) == 2
    clock.now += FRESH_S + 1
    assert len(await service.terms("tenant", PAIR)) == 0


async def test_a_change_here_is_used_at_once(
    service: GlossaryService, repository: Repository
) -> None:
    repository.put(key="clave")
    await service.terms("tenant", PAIR)
    await service.change(CALLER, "g", {}, replace=True)
    assert len(await service.terms("tenant", PAIR)) == 2


async def test_a_change_during_a_read_is_used_at_once(
    service: GlossaryService, repository: Repository
) -> None:
    repository.put(key="clave")
    repository.while_reading = lambda: service.change(CALLER, "g", {}, replace=True)
    assert len(await service.terms("tenant", PAIR)) == 1
    assert len(await service.terms("tenant", PAIR)) == 2


async def test_the_last_known_terms_serve_while_the_database_is_down(
    service: GlossaryService, repository: Repository, clock: Clock
) -> None:
    repository.put(key="clave")
    await service.terms("tenant", PAIR)
    repository.down = True
    clock.now += 1_000
    assert len(await service.terms("tenant", PAIR)) == 1
    with pytest.raises(Unavailable):
        await service.terms("another", PAIR)


async def test_a_database_that_hangs_is_waited_for_once(
    service: GlossaryService, repository: Repository, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.nlp.services.glossaries._ANSWER_S", 0.01)
    repository.put(key="clave")
    repository.hangs = True
    for tenant in ("one", "other"):
        with pytest.raises(Unavailable):
            await service.terms(tenant, PAIR)
    assert repository.asked == 1
    repository.hangs = False
    monkeypatch.setattr("services.nlp.services.glossaries._ANSWER_S", 30.0)
    clock.now += FRESH_S
    assert len(await service.terms("one", PAIR)) == 1


async def test_memory_is_bounded(
    service: GlossaryService, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.nlp.services.glossaries._MOST_TERMS", 5)
    repository.put(key="clave", lock="cerradura")
    for tenant in range(4):
        await service.terms(f"tenant-{tenant}", PAIR)
    assert repository.read == 4
    await service.terms("tenant-3", PAIR)
    assert repository.read == 4
    await service.terms("tenant-0", PAIR)
    assert repository.read == 5
