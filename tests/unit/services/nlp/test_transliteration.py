import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.nlp.models.analysis import AnalysisRecord, AnalyzedItem, Task
from services.nlp.models.languages import Pair
from services.nlp.models.transliteration import TransliterationOrder
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.transliteration import TransliterationService
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import EmptyText, TooManyItems, UnknownModel, UnsupportedLanguage

CALLER = Caller("tenant", "key", "request", "trace")
LIMITS = NlpLimits(TextBounds(90, 5_000, 100_000), batch_sentences=90, parallel_batches=4)
MODELS = {"default": "transliteration"}


class Model:
    """Spells in capitals, and backwards as the second choice."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], bool, int]] = []
        self.error: Exception | None = None

    async def pairs(self, _: str) -> list[Pair]:
        return [Pair("en", "hi")]

    async def spell(
        self, _model: str, texts: Sequence[str], _pair: Pair, *, words: bool, top: int
    ) -> list[list[str]]:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.calls.append((list(texts), words, top))
        return [[text.upper(), text[::-1].upper()][:top] for text in texts]


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[AnalysisRecord, list[AnalyzedItem]]] = []

    async def add(
        self, _: Caller, record: AnalysisRecord, items: Sequence[AnalyzedItem] = ()
    ) -> None:
        self.saved.append((record, list(items)))


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
async def service(model: Model, repository: Repository) -> AsyncIterator[TransliterationService]:
    with ThreadPoolExecutor(1) as workers:
        yield TransliterationService(
            model,
            repository,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, Metrics("selector")),
            LIMITS,
            NlpMetrics(Metrics("nlp")),
            workers,
            Bulkhead(200_000),
        )


def order(*texts: str, pair: Pair = Pair("en", "hi"), **rest: Any) -> TransliterationOrder:  # noqa: B008
    return TransliterationOrder(texts, pair, **rest)


async def test_running_text_keeps_what_is_no_word(
    service: TransliterationService, model: Model, repository: Repository
) -> None:
    text = " one {name},\n\ttwo 42 https://e.example/ one\n"
    made = await service.transliterate(CALLER, order(text, "", suggestions=5))
    targets = [item.targets for item in made.items]
    assert targets == [(" ONE {name},\n\tTWO 42 https://e.example/ ONE\n",), ("",)]
    assert model.calls == [(["one", "two 42"], False, 1)]
    record, items = repository.saved[0]
    assert (record.task, record.language, record.error_code) == (
        Task.TRANSLITERATION,
        "en-hi",
        None,
    )
    assert items[0].finding == list(targets[0])


async def test_words_have_suggestions(service: TransliterationService, model: Model) -> None:
    asked = order("one", " one ", "two", " ", sentences=False, suggestions=2)
    made = await service.transliterate(CALLER, asked)
    assert [item.targets for item in made.items] == [
        ("ONE", "ENO"),
        ("ONE", "ENO"),
        ("TWO", "OWT"),
        (" ",),
    ]
    assert model.calls == [(["one", "two"], True, 2)]


async def test_long_texts_go_in_batches(service: TransliterationService, model: Model) -> None:
    texts = ["".join(f"s{item} l{line}.\n" for line in range(40)) for item in range(20)]
    made = await service.transliterate(CALLER, order(*texts))
    assert [item.targets for item in made.items] == [(text.upper(),) for text in texts]
    assert max(len(texts) for texts, _, _ in model.calls) <= 90


async def test_a_failure_leaves_a_row(
    service: TransliterationService, model: Model, repository: Repository
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    with pytest.raises(Unavailable):
        await service.transliterate(CALLER, order("a"))
    record, items = repository.saved[0]
    assert record.error_code == "inference_unavailable"
    assert not items


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (order(), EmptyText),
        (order(" "), EmptyText),
        (order(" \x00", "\u202e"), EmptyText),
        (order(*"a" * 91), TooManyItems),
        (order("a", service_id="other"), UnknownModel),
        (order("a", pair=Pair("hi", "en")), UnsupportedLanguage),
        (order("a", scripts=("Deva", None)), UnsupportedLanguage),
    ],
)
async def test_wrong_orders(
    service: TransliterationService,
    model: Model,
    wrong: TransliterationOrder,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        await service.transliterate(CALLER, wrong)
    assert not model.calls
