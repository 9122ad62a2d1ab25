import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.nlp.models.analysis import Sentiment
from services.nlp.models.conversation import (
    ConversationContent,
    ConversationOrder,
    ConversationRecord,
    RulesVersion,
    Segment,
    StoredConversation,
)
from services.nlp.services.conversation_bounds import ConversationBounds
from services.nlp.services.conversation_counts import ConversationCounts
from services.nlp.services.conversation_rules import ConversationRules
from services.nlp.services.conversations import ConversationService, ConversationSettings
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.metrics import Metrics
from shared.problem import InvalidField, NotFound, RequestNotFound, SpeechgateError, Unavailable

CALLER = Caller("tenant", "key", "request", "trace")
HELLO = Segment(0, "A", 0.0, 5.0, "Hello, my name is Ann.")


class Model:
    """Finds everything good."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.error: Exception | None = None
        self.hangs = False

    async def languages(self, _: str) -> list[str]:
        if self.error:
            raise self.error
        return ["en"]

    async def score(self, _: str, texts: Sequence[str], __: str) -> list[Sentiment]:
        if self.hangs:
            await asyncio.Event().wait()
        self.batches.append(len(texts))
        return [Sentiment("positive", 0.5, 1.0, 0.0, 0.0) for _ in texts]


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[ConversationRecord, ConversationContent | None]] = []

    async def add(
        self, _: Caller, record: ConversationRecord, content: ConversationContent | None = None
    ) -> None:
        self.saved.append((record, content))

    async def find(self, tenant_id: str, request_id: str) -> StoredConversation | None:
        for record, content in self.saved:
            if (tenant_id, request_id) == (CALLER.tenant_id, record.id):
                return StoredConversation(record, "request", content)
        return None


class RulesRepository:
    """Keeps versions of one tenant."""

    def __init__(self) -> None:
        self.documents: list[Mapping[str, Any]] = []
        self.down = False
        self.reads = 0

    def _ask(self) -> None:
        if self.down:
            raise Unavailable("down", code="database_unavailable")

    async def latest_number(self, tenant_id: str) -> int | None:
        self._ask()
        return len(self.documents) or None if tenant_id == CALLER.tenant_id else None

    async def get(self, tenant_id: str, number: int) -> RulesVersion | None:
        self._ask()
        self.reads += 1
        if tenant_id != CALLER.tenant_id or number > len(self.documents):
            return None
        return RulesVersion(str(number), None, self.documents[number - 1])

    async def add(self, _: Caller, document: Mapping[str, Any], digest: str) -> RulesVersion:
        assert digest
        self._ask()
        self.documents.append(document)
        return RulesVersion(str(len(self.documents)), None, document)


class World:
    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self.model, self.repository = Model(), Repository()
        self.rules_repository = RulesRepository()
        self.metrics = Metrics("nlp")
        self.rules = ConversationRules(self.rules_repository, workers)  # type: ignore[arg-type] # a fake
        self.service = ConversationService(
            self.model,  # type: ignore[arg-type] # a fake
            self.repository,  # type: ignore[arg-type] # a fake
            self.rules,
            ConversationSettings(ConversationBounds(10, 3_000, 10_000), "sentiment", 4, 0.05),
            ConversationCounts(self.metrics),
            workers,
            Bulkhead(20_000),
        )


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with ThreadPoolExecutor(1) as workers:
        yield World(workers)


def order(*segments: Segment, **rest: Any) -> ConversationOrder:
    rest = {"language": "en", "roles": {}, **rest}
    return ConversationOrder(segments or (HELLO,), **rest)


async def changed(world: World, **changes: Any) -> RulesVersion:
    document = dict((await world.rules.get("tenant", "builtin-1")).document)
    return await world.rules.put(CALLER, {**document, **changes})


async def test_an_analysis_is_stored_with_the_words_that_a_replay_needs(world: World) -> None:
    blank = Segment(1, "B", 6.0, 7.0, " ")
    found = await world.service.analyze(CALLER, order(HELLO, blank, language="en-GB"))
    assert (found.language, found.degraded) == ("en", ())
    assert world.model.batches == [1]  # Nobody is asked how silence feels.
    assert [one.feeling and one.feeling.score for one in found.segments] == [0.5, 0.0]
    ((record, content),) = world.repository.saved
    assert (record.id, record.rules_version, record.segments) == (found.id, "builtin-1", 2)
    assert content is not None
    assert content.segments == found.segments
    replayed = await world.service.replay(CALLER, found.id, None)
    assert replayed == found
    assert len(world.repository.saved) == 1


async def test_what_may_not_be_kept_is_not_and_cannot_be_replayed(world: World) -> None:
    found = await world.service.analyze(CALLER, order(store_content=False))
    assert world.repository.saved[0][1] is None
    for caller in (CALLER, Caller("other", "key", "request", "trace")):
        with pytest.raises(RequestNotFound):
            await world.service.replay(caller, found.id, None)


@pytest.mark.parametrize(
    ("error", "language", "reason"),
    [
        (Unavailable("down", code="inference_unavailable"), "en", "inference_unavailable"),
        (None, "hi", "unsupported_language"),
    ],
)
async def test_without_sentiment_the_rest_comes(
    world: World, error: Exception | None, language: str, reason: str
) -> None:
    world.model.error = error
    found = await world.service.analyze(CALLER, order(language=language))
    assert [(one.step, one.reason) for one in found.degraded] == [("sentiment", reason)]
    assert found.findings.sentiment is None
    assert found.findings.metrics.duration == 5
    again = await world.service.replay(CALLER, found.id, None)
    assert again.degraded == found.degraded
    text = world.metrics.render().decode()
    assert 'speechgate_nlp_conversation_degraded_total{step="sentiment"} 1.0' in text


async def test_a_model_that_hangs_is_not_waited_for(world: World) -> None:
    world.model.hangs = True
    found = await world.service.analyze(CALLER, order())
    assert found.degraded[0].reason == "deadline_exceeded"


async def test_a_tenants_rules_are_in_force_at_once(world: World) -> None:
    first = await world.service.analyze(CALLER, order())
    written = await changed(world, rules=[])
    assert written.version == "1"
    second = await world.service.analyze(CALLER, order())
    assert (first.findings.rules_version, second.findings.rules_version) == ("builtin-1", "1")
    assert (await world.service.replay(CALLER, first.id, "1")).findings == second.findings
    assert (await world.service.replay(CALLER, second.id, "builtin-1")).findings == first.findings
    stranger = Caller("other", "key", "request", "trace")
    theirs = await world.service.analyze(stranger, order())
    assert theirs.findings.rules_version == "builtin-1"
    assert world.rules_repository.reads == 1  # Made ready once.


@pytest.mark.parametrize("version", ["2", "builtin-2", "0", "x", "1" * 10])
async def test_rules_that_are_not_there(world: World, version: str) -> None:
    await changed(world, rules=[])
    with pytest.raises(InvalidField) as caught:
        await world.service.analyze(CALLER, order(rules_version=version))
    assert caught.value.code == "unknown_rules_version"
    with pytest.raises(NotFound):
        await world.rules.get("tenant", version)
    with pytest.raises(NotFound):
        await world.rules.get("other", "1")


async def test_without_the_database_the_last_known_rules_are_in_force(world: World) -> None:
    await changed(world, rules=[])
    await world.service.analyze(CALLER, order())
    world.rules_repository.down = True
    found = await world.service.analyze(CALLER, order())
    assert found.findings.rules_version == "1"
    assert [(one.step, one.reason) for one in found.degraded] == [("rules", "database_unavailable")]
    stranger = Caller("other", "key", "request", "trace")
    theirs = await world.service.analyze(stranger, order())
    assert theirs.findings.rules_version == "builtin-1"
    assert (await world.service.analyze(CALLER, order(rules_version="1"))).degraded == ()
    with pytest.raises(Unavailable):
        await world.service.analyze(CALLER, order(rules_version="9"))


async def test_a_failure_leaves_a_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(world.service, "_in_worker", fail)
    with pytest.raises(RuntimeError):
        await world.service.analyze(CALLER, order())
    ((record, content),) = world.repository.saved
    assert (record.error_code, content) == ("internal_error", None)


def said(**changes: Any) -> Segment:
    return Segment(**{"index": 0, "speaker": "A", "start": 0.0, "end": 1.0, "text": "a", **changes})


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        (ConversationOrder((), "en", {}), "empty_text", "/segments"),
        (order(*[HELLO] * 11), "too_many_segments", "/segments"),
        (order(HELLO, said(start=2.0)), "invalid_time", "/segments/1/end"),
        (order(HELLO, said(text="a" * 3_001)), "text_too_long", "/segments/1/text"),
        (order(*[said(text="a" * 2_900)] * 4), "text_too_long", "/segments"),
        (order(said(text=" \x00\n")), "empty_text", "/segments"),
        (order(HELLO, roles={"B": "agent"}), "unknown_speaker", "/roles"),
    ],
)
async def test_wrong_orders(
    world: World, wrong: ConversationOrder, code: str, pointer: str
) -> None:
    with pytest.raises(SpeechgateError) as caught:
        await world.service.analyze(CALLER, wrong)
    assert (caught.value.code, caught.value.members["errors"][0]["pointer"]) == (code, pointer)
    assert not world.repository.saved
    assert not world.model.batches


def test_more_speakers_than_a_call_has() -> None:
    bounds = ConversationBounds(100, 100, 10_000)
    crowd = order(*(said(speaker=str(number)) for number in range(21)))
    with pytest.raises(InvalidField) as caught:
        bounds.check(crowd)
    assert caught.value.code == "too_many_speakers"
    assert bounds.check(order(*crowd.segments[:20])) == 20
