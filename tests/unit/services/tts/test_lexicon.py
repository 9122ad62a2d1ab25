import asyncio
import time
from string import ascii_lowercase

import pytest

from services.tts.exceptions import InvalidPhrase
from services.tts.models.lexicon import LexiconEntry, Spelling
from services.tts.services import lexicon
from services.tts.services.lexicon import (
    LexiconMetrics,
    LexiconService,
    checked,
)
from services.tts.services.normalization import FIXED
from shared.caller import Caller
from shared.db.base import utc_now
from shared.metrics import Metrics
from shared.problem import Unavailable

CALLER = Caller("tenant", "key", "request", "trace")
OTHER = Caller("other", "key", "request", "trace")


class Repository:
    def __init__(self) -> None:
        self.kept: dict[str, list[Spelling]] = {"tenant": [Spelling("SQL", "sequel")]}
        self.reads = 0
        self.down = False

    async def spellings(self, tenant_id: str) -> list[Spelling]:
        self.reads += 1
        if self.down:
            raise Unavailable("down")
        return list(self.kept.get(tenant_id, []))

    async def add(self, caller: Caller, spelling: Spelling) -> LexiconEntry:
        self.kept.setdefault(caller.tenant_id, []).append(spelling)
        return LexiconEntry("0" * 32, spelling, utc_now(), utc_now())


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
def metrics() -> Metrics:
    return Metrics("tts")


@pytest.fixture
def service(repository: Repository, clock: Clock, metrics: Metrics) -> LexiconService:
    return LexiconService(repository, LexiconMetrics(metrics), 5.0, clock=clock)  # type: ignore[arg-type] # a fake


async def test_a_lexicon_is_read_once_in_a_while(
    service: LexiconService, repository: Repository, clock: Clock
) -> None:
    for _ in range(3):
        assert dict(await service.pronunciations(CALLER, "en")) == {"SQL": "sequel"}
    assert repository.reads == 1
    clock.now = 5.0
    await service.pronunciations(CALLER, "en")
    assert repository.reads == 2


async def test_a_change_is_known_at_once(service: LexiconService) -> None:
    await service.pronunciations(CALLER, "en")
    await service.create(CALLER, Spelling("gif", "jif"))
    assert dict(await service.pronunciations(CALLER, "en")) == {"SQL": "sequel", "gif": "jif"}


async def test_a_tenant_has_only_its_own(service: LexiconService) -> None:
    assert not await service.pronunciations(OTHER, "en")
    assert await service.pronunciations(CALLER, "en")


async def test_speech_goes_on_without_the_database(
    service: LexiconService, repository: Repository, clock: Clock, metrics: Metrics
) -> None:
    await service.pronunciations(CALLER, "en")
    repository.down = True
    clock.now = 60.0
    assert dict(await service.pronunciations(CALLER, "en")) == {"SQL": "sequel"}
    assert not await service.pronunciations(OTHER, "en")
    read = "speechgate_tts_lexicon_reads_total"
    assert metrics.registry.get_sample_value(read, {"source": "stale"}) == 1
    assert metrics.registry.get_sample_value(read, {"source": "unavailable"}) == 1


async def test_a_change_that_overtakes_a_read_is_not_forgotten(
    service: LexiconService, repository: Repository
) -> None:
    plain = repository.spellings

    async def overtaken(tenant_id: str) -> list[Spelling]:
        found = await plain(tenant_id)
        repository.spellings = plain  # type: ignore[method-assign] # once
        await service.create(CALLER, Spelling("gif", "jif"))
        return found

    repository.spellings = overtaken  # type: ignore[method-assign] # once
    await service.pronunciations(CALLER, "en")
    assert "gif" in await service.pronunciations(CALLER, "en")


async def test_an_entry_of_a_language_is_before_one_of_all(
    service: LexiconService, repository: Repository
) -> None:
    repository.kept["tenant"] = [
        Spelling("a", "deux", "fr"),
        Spelling("a", "one"),
        Spelling("b", "two"),
    ]
    assert dict(await service.pronunciations(CALLER, "fr")) == {"a": "deux", "b": "two"}
    assert dict(await service.pronunciations(CALLER, "en")) == {"a": "one", "b": "two"}


async def test_languages_do_not_multiply_the_entries(
    service: LexiconService, repository: Repository
) -> None:
    codes = [f"{one}{two}a" for one in ascii_lowercase for two in ascii_lowercase][:500]
    common = [Spelling(f"a phrase of several words {number}", "a") for number in range(500)]
    repository.kept["tenant"] = [*common, *(Spelling("b", "c", code) for code in codes)]
    started = time.process_time()
    assert len(await service.pronunciations(CALLER, codes[0])) == 501
    # Each language by itself takes some hundredths of a second: all together, many seconds.
    assert time.process_time() - started < 2.0


async def test_what_did_not_change_stays_ready(
    service: LexiconService, repository: Repository, clock: Clock
) -> None:
    first = await service.pronunciations(CALLER, "en")
    clock.now = 5.0
    assert await service.pronunciations(CALLER, "en") is first
    repository.kept["tenant"].append(Spelling("gif", "jif"))
    clock.now = 10.0
    assert "gif" in await service.pronunciations(CALLER, "en")


async def test_many_entries_are_made_ready_too(
    service: LexiconService, repository: Repository
) -> None:
    repository.kept["tenant"] = [Spelling(f"word {number}", "a") for number in range(1_000)]
    assert len(await service.pronunciations(CALLER, "en")) == 1_000


async def test_speech_does_not_wait_for_a_database_that_hangs(
    service: LexiconService, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hanging(_: str) -> list[Spelling]:
        await asyncio.Event().wait()
        raise AssertionError

    repository.spellings = hanging  # type: ignore[method-assign] # a database that hangs
    monkeypatch.setattr(lexicon, "_ANSWER_S", 0.01)
    async with asyncio.timeout(5.0):
        assert not await service.pronunciations(CALLER, "en")


async def test_a_region_has_the_lexicon_of_its_language(
    service: LexiconService, repository: Repository
) -> None:
    repository.kept["tenant"].append(Spelling("chat", "sha", "fr"))
    assert dict(await service.pronunciations(CALLER, "fr-CA"))["chat"] == "sha"
    assert "chat" not in await service.pronunciations(CALLER, "en-GB")


def test_spellings_are_kept_composed() -> None:
    assert checked(Spelling(" cafe\u0301\tx ", "a\x00 b")) == Spelling("caf\u00e9 x", "a b")


def test_a_phrase_holds_no_placeholder() -> None:
    # It would take the place of what markup says.
    assert checked(Spelling(f"a {FIXED}", f"b{FIXED}")) == Spelling("a", "b")


@pytest.mark.parametrize(
    ("phrase", "alias"), [("...", "a"), (" ", "a"), ("a", "!"), ("a", "\x00"), ("a b " * 9, "a")]
)
def test_what_could_never_be_found_or_said(phrase: str, alias: str) -> None:
    with pytest.raises(InvalidPhrase) as error:
        checked(Spelling(phrase, alias))
    assert error.value.status == 422
