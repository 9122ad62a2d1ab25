import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.nlp.models.languages import Pair
from services.nlp.models.translation import TranslatedItem, TranslationOrder, TranslationRecord
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.translation import TranslationService
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.metrics import Metrics
from shared.problem import Unavailable
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import EmptyText, TooManyItems, UnknownModel, UnsupportedLanguage

CALLER = Caller("tenant", "key", "request", "trace")
LIMITS = NlpLimits(TextBounds(90, 5_000, 100_000), batch_sentences=90, parallel_batches=4)


class Model:
    """Translates into capitals."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.pair: Pair | None = None
        self.error: Exception | None = None
        self.running = self.most = 0

    async def pairs(self, _: str) -> list[Pair]:
        return [Pair("en", "es")]

    async def translate(self, _: str, sentences: Sequence[str], pair: Pair) -> list[str]:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if self.error:
            raise self.error
        self.batches.append(list(sentences))
        self.pair = pair
        return [sentence.upper() for sentence in sentences]


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[TranslationRecord, list[TranslatedItem]]] = []

    async def add(
        self, _: Caller, record: TranslationRecord, items: Sequence[TranslatedItem] = ()
    ) -> None:
        self.saved.append((record, list(items)))


MODELS = {"default": "nmt"}


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
async def service(model: Model, repository: Repository) -> AsyncIterator[TranslationService]:
    with ThreadPoolExecutor(1) as workers:
        yield TranslationService(
            model,
            repository,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, Metrics("selector")),
            LIMITS,
            NlpMetrics(Metrics("nlp")),
            workers,
            Bulkhead(200_000),
        )


def order(*texts: str, pair: Pair = Pair("en", "es"), **rest: str) -> TranslationOrder:  # noqa: B008
    return TranslationOrder(texts, pair, **rest)


async def test_texts_keep_their_order_and_layout(
    service: TranslationService, model: Model, repository: Repository
) -> None:
    translation = await service.translate(CALLER, order("One. Two.\n", "", "Three"))
    assert [item.target for item in translation.items] == ["ONE. TWO.\n", "", "THREE"]
    assert [item.source for item in translation.items] == ["One. Two.\n", "", "Three"]
    assert model.batches == [["One.", "Two.", "Three"]]
    record, items = repository.saved[0]
    assert (record.id, record.sentences, record.characters) == (translation.id, 3, 15)
    assert items == list(translation.items)


async def test_a_sentence_is_translated_once(service: TranslationService, model: Model) -> None:
    translation = await service.translate(CALLER, order(*["Same. Same."] * 50))
    assert model.batches == [["Same."]]
    assert {item.target for item in translation.items} == {"SAME. SAME."}


async def test_many_sentences_go_in_parallel_batches(
    service: TranslationService, model: Model
) -> None:
    texts = ["".join(f"S{item} {line}.\n" for line in range(20)) for item in range(90)]
    translation = await service.translate(CALLER, order(*texts))
    assert [item.target for item in translation.items] == [text.upper() for text in texts]
    assert max(map(len, model.batches)) == 90
    assert model.most == 4


async def test_regions_are_left_to_the_client(service: TranslationService, model: Model) -> None:
    await service.translate(CALLER, order("a", pair=Pair("en-US", "ES")))
    assert model.pair == Pair("en", "es")


async def test_a_failed_inference_leaves_a_row(
    service: TranslationService, model: Model, repository: Repository
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    with pytest.raises(Unavailable):
        await service.translate(CALLER, order("a"))
    record, items = repository.saved[0]
    assert record.error_code == "inference_unavailable"
    assert not items


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (order(), EmptyText),
        (order("", " "), EmptyText),
        (order(*"a" * 91), TooManyItems),
        (order("a", service_id="other"), UnknownModel),
        (order("a", pair=Pair("es", "en")), UnsupportedLanguage),
    ],
)
async def test_wrong_orders(
    service: TranslationService, model: Model, wrong: TranslationOrder, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await service.translate(CALLER, wrong)
    assert not model.batches
