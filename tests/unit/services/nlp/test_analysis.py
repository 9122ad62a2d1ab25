import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from services.nlp.exceptions import UnusableOutput
from services.nlp.inference.sentiment import SentimentModel
from services.nlp.models.analysis import (
    AnalysisRecord,
    AnalyzedItem,
    LanguageGuess,
    Sentiment,
    SentimentOrder,
)
from services.nlp.services.analysis import AnalysisService
from services.nlp.services.course import Course
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from shared.caller import Caller
from shared.concurrency import Bulkhead
from shared.metrics import Metrics
from shared.serving import ModelNotAllowed, ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import UnknownModel

CALLER = Caller("tenant", "key", "request", "trace")
BOUND = Caller("tenant", "key", "request", "trace", models=frozenset({"nmt"}))
LIMITS = NlpLimits(TextBounds(90, 5_000, 100_000), batch_sentences=90, parallel_batches=4)
GOOD = b'{"label": "positive", "score": 0.5, "positive": 1, "neutral": 0, "negative": 0}'


class Model:
    """Finds everything good, in whatever language."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def languages(self, _: str) -> list[str]:
        return []

    async def score(self, model: str, texts: Sequence[str], _: str) -> list[Sentiment]:
        self.asked.append((model, list(texts)))
        return [Sentiment("positive", 0.5, 1.0, 0.0, 0.0) for _ in texts]


class Detector:
    """Takes everything for English, and notes where it works."""

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def detect(self, texts: Sequence[str]) -> list[list[LanguageGuess]]:
        self.threads.add(threading.current_thread().name)
        return [[LanguageGuess("en", 1.0)] for _ in texts]


class Repository:
    async def add(
        self, _: Caller, record: AnalysisRecord, items: Sequence[AnalyzedItem] = ()
    ) -> None: ...


class World:
    def __init__(self, workers: ThreadPoolExecutor) -> None:
        self.model, self.detector, self.metrics = Model(), Detector(), Metrics("nlp")
        counters = NlpMetrics(self.metrics)
        course = Course(Repository(), LIMITS, counters, workers, Bulkhead(200_000))  # type: ignore[arg-type] # a fake
        models = {"default": "sentiment", "fine": "fine-sentiment"}
        selector = ModelSelector(models, every_model, UnknownModel, Metrics("selector"))
        self.service = AnalysisService(self.model, self.detector, course, selector, LIMITS)  # type: ignore[arg-type] # fakes


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with ThreadPoolExecutor(1, "worker") as workers:
        yield World(workers)


def order(*texts: str, language: str = "en", **rest: Any) -> SentimentOrder:
    return SentimentOrder(texts, language, **rest)


async def test_texts_and_their_sentences_are_judged_once(world: World) -> None:
    found = await world.service.sentiment(CALLER, order("So good! So good!", "So good!"))
    assert world.model.asked == [("sentiment", ["So good! So good!", "So good!"])]
    assert [(one.start, one.end) for one in found.findings[0].segments] == [(0, 8), (9, 17)]
    assert found.findings[1].segments[0].label == "positive"
    assert (
        not (await world.service.sentiment(CALLER, order("Yes.", per_segment=False)))
        .findings[0]
        .segments
    )


@pytest.mark.parametrize("service_id", [None, "fine"])
async def test_a_key_that_is_bound_to_other_models_is_refused(
    world: World, service_id: str | None
) -> None:
    with pytest.raises(ModelNotAllowed):
        await world.service.sentiment(BOUND, order("Yes.", service_id=service_id))
    assert not world.model.asked


async def test_languages_of_long_texts_are_detected_in_a_worker_thread(world: World) -> None:
    found = await world.service.detect(CALLER, ("word " * 900, "word"))
    assert [guesses[0].language for guesses in found.findings] == ["en", "en"]
    assert {name.partition("_")[0] for name in world.detector.threads} == {"worker"}


async def test_labels_are_few_where_a_model_takes_any_language(world: World) -> None:
    for language in ("en", "xyz", "qqq"):
        await world.service.sentiment(CALLER, order("Yes.", language=language))
    text = world.metrics.render().decode()
    assert 'characters_total{language="any",task="sentiment"} 8.0' in text
    assert "xyz" not in text


class Triton:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    async def infer(self, *_: Any) -> Any:
        return np.array([self.answer], dtype=object)


async def test_what_the_model_says() -> None:
    model = SentimentModel(Triton(GOOD))  # type: ignore[arg-type] # a fake
    assert await model.score("sentiment", ["a"], "en") == [
        Sentiment("positive", 0.5, 1.0, 0.0, 0.0)
    ]


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"5", b"[]", b"{}", GOOD.replace(b"0.5", b"null"), GOOD.replace(b"0.5", b"NaN")),
        *(GOOD.replace(b"0.5", b'"much"'), GOOD.replace(b'"positive",', b"1,")),
    ],
)
async def test_what_is_no_sentiment_is_unusable(answer: bytes) -> None:
    model = SentimentModel(Triton(answer))  # type: ignore[arg-type] # a fake
    with pytest.raises(UnusableOutput):
        await model.score("sentiment", ["a"], "en")
