import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from services.nlp.exceptions import TooManySentences
from services.nlp.models.languages import Pair
from services.nlp.models.translation import TranslatedItem, TranslationOrder, TranslationRecord
from services.nlp.services.documents.terms import Terms
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.preparation import Preparation
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
        self.served = [Pair("en", "es")]
        self.spoils = ""
        self.batches: list[list[str]] = []
        self.pair: Pair | None = None
        self.error: Exception | None = None
        self.running = self.most = 0
        self.begun = asyncio.Event()

    async def pairs(self, _: str) -> list[Pair]:
        return self.served

    async def translate(self, _: str, sentences: Sequence[str], pair: Pair) -> list[str]:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.set()
        await asyncio.sleep(0)
        self.running -= 1
        if self.error:
            raise self.error
        self.batches.append(list(sentences))
        self.pair = pair
        return [
            "" if self.spoils and self.spoils in sentence else sentence.upper()
            for sentence in sentences
        ]


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[TranslationRecord, list[TranslatedItem]]] = []

    async def add(
        self, _: Caller, record: TranslationRecord, items: Sequence[TranslatedItem] = ()
    ) -> None:
        self.saved.append((record, list(items)))


class Glossaries:
    def __init__(self) -> None:
        self.entries: dict[tuple[str, Pair], dict[str, str]] = {}
        self.down = False

    async def terms(self, tenant_id: str, pair: Pair) -> Terms:
        if self.down:
            raise Unavailable("down", code="database_unavailable")
        return Terms(self.entries.get((tenant_id, pair), {}))


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
def glossaries() -> Glossaries:
    return Glossaries()


@pytest.fixture
async def service(
    model: Model, repository: Repository, glossaries: Glossaries
) -> AsyncIterator[TranslationService]:
    with ThreadPoolExecutor(1) as workers:
        yield TranslationService(
            model,
            repository,
            glossaries,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, Metrics("selector")),
            LIMITS,
            NlpMetrics(Metrics("nlp")),
            workers,
            Bulkhead(200_000),
        )


def order(*texts: str, pair: Pair = Pair("en", "es"), **rest: Any) -> TranslationOrder:  # noqa: B008
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


async def test_the_first_batches_do_not_wait_for_the_last_texts(
    service: TranslationService, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    prepared: list[bool] = []
    more = Preparation.more

    def watched(preparation: Preparation, enough: int | None = None) -> list[str]:
        if enough is None:
            began = asyncio.run_coroutine_threadsafe(asyncio.wait_for(model.begun.wait(), 10), loop)
            prepared.append(began.result())
        return more(preparation, enough)

    monkeypatch.setattr(Preparation, "more", watched)
    texts = ["".join(f"S{item} {line}. " for line in range(50)) for item in range(20)]
    translation = await service.translate(CALLER, order(*texts, texts[0]))
    assert [item.target for item in translation.items] == [
        text.upper() for text in (*texts, texts[0])
    ]
    assert prepared == [True]
    sent = sorted(sentence for batch in model.batches for sentence in batch)
    assert sent == sorted(line for text in texts for line in re.findall(r"S\d+ \d+\.", text))
    assert model.most == LIMITS.parallel_batches


async def test_a_failure_of_the_first_batches_ends_the_request(
    service: TranslationService, model: Model, repository: Repository
) -> None:
    model.error = Unavailable("down", code="inference_unavailable")
    texts = ["".join(f"S{item} {line}. " for line in range(50)) for item in range(20)]
    with pytest.raises(Unavailable):
        await service.translate(CALLER, order(*texts))
    assert [record.error_code for record, _ in repository.saved] == ["inference_unavailable"]


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
        (order(" \x00", "\u202e"), EmptyText),
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


async def test_what_comes_back_without_its_marks_is_sent_in_pieces(
    service: TranslationService, model: Model
) -> None:
    model.spoils = "zq"
    translation = await service.translate(CALLER, order("Dear {name}, go. Go on."))
    assert translation.items[0].target == "DEAR {name}, GO. GO ON."
    assert model.batches == [["Dear zqaxz, go.", "Go on."], ["Dear", "go."]]


async def test_glossaries_of_the_request_and_of_its_tenant(
    service: TranslationService, glossaries: Glossaries
) -> None:
    glossaries.entries["tenant", Pair("en", "es")] = {"key": "clave", "gateway": "portal"}
    glossaries.entries["another", Pair("en", "es")] = {"old": "viejo"}
    glossary = {"gateway": "pasarela"}

    async def target(**rest: Any) -> str:
        asked = order("The old gateway key", pair=Pair("en-GB", "spa"), **rest)
        return (await service.translate(CALLER, asked)).items[0].target

    assert await target() == "THE OLD portal clave"
    assert await target(glossary=glossary) == "THE OLD pasarela clave"
    assert await target(glossary=glossary, own_glossary=False) == "THE OLD pasarela KEY"


async def test_without_a_database_the_answer_says_what_it_lacks(
    service: TranslationService, glossaries: Glossaries
) -> None:
    glossaries.down = True
    translation = await service.translate(CALLER, order("a key", glossary={"key": "clave"}))
    assert translation.items[0].target == "A clave"
    assert translation.degraded == {"glossary": "database_unavailable"}


async def test_the_model_hears_its_own_names(service: TranslationService, model: Model) -> None:
    model.served = [Pair("eng_Latn", "hin_Deva"), Pair("eng_Latn", "snd_Arab")]
    await service.translate(CALLER, order("a", pair=Pair("en", "sd"), scripts=(None, "Arab")))
    assert model.pair == Pair("eng_Latn", "snd_Arab")
    with pytest.raises(UnsupportedLanguage):
        await service.translate(CALLER, order("a", pair=Pair("en", "sd"), scripts=(None, "Deva")))


async def test_too_many_sentences(service: TranslationService, model: Model) -> None:
    with pytest.raises(TooManySentences):
        await service.translate(CALLER, order(*["a.\n" * 1_500] * 10))
    assert not model.batches


async def test_pieces_of_sentences_count_as_sentences(
    service: TranslationService, model: Model
) -> None:
    crowded = ["".join(f"a{text}b{number} {{n}} " for number in range(400)) for text in range(13)]
    with pytest.raises(TooManySentences):
        await service.translate(CALLER, order(*crowded))
    # They are counted while the first batches, and no others, are with the model.
    assert sum(map(len, model.batches)) <= LIMITS.parallel_batches * LIMITS.batch_sentences
    model.batches.clear()
    model.spoils = "zq"
    texts = [
        "".join(f"{one}{number}{{}}{one}b{number}{{}}{one}c{number}. " for number in range(200))
        for one in "DFGHJKLMN"
    ]
    with pytest.raises(TooManySentences):
        await service.translate(CALLER, order(*texts))
    assert sum(map(len, model.batches)) == 1_800
