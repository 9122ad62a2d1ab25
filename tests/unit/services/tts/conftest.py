"""A speech service over a model in memory."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.tts.services.metrics import TtsMetrics
from services.tts.services.narration import Narrator
from services.tts.services.part_cache import PartCache
from services.tts.services.parts import PartSource
from services.tts.services.runs import Engine, Runs, SpeechLimits
from services.tts.services.speech import SpeechService
from services.tts.services.writing import ScriptWriter, no_lexicon
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import UnknownModel
from tests.unit.services.tts.narration_fakes import (
    Model,
    Repository,
)

LIMITS = SpeechLimits(TextBounds(3, 2_000, 4_000), 5_000, 400_000)
MODELS = {"default": "tts", "fast": "tts-fast"}


async def every_model(_: str) -> bool:
    return True


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("tts")


@pytest.fixture
async def service(
    model: Model, repository: Repository, metrics: Metrics
) -> AsyncIterator[SpeechService]:
    counted = TtsMetrics(metrics)
    with ThreadPoolExecutor(1) as workers:
        engine = Engine(
            model,
            MODELS,
            ModelSelector(MODELS, every_model, UnknownModel, metrics),
            ScriptWriter(50, workers, no_lexicon),
            Narrator(PartSource(model, PartCache(1 << 20, 60.0, counted)), 2),
            workers,
            "en",
        )
        yield SpeechService(Runs(engine, repository, LIMITS, counted), repository, counted)
