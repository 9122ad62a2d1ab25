"""What lives as long as the process, and the order in which it closes."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.nlp.db.tables import nlp_requests, nlp_results, nmt_requests, nmt_results
from services.nlp.inference.langid import LanguageDetector
from services.nlp.inference.nmt import NmtModel
from services.nlp.inference.sentiment import SentimentModel
from services.nlp.repositories.analyses import AnalysisRepository
from services.nlp.repositories.translations import TranslationRepository
from services.nlp.services.analysis import AnalysisService
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.translation import TranslationService
from services.nlp.settings import NlpSettings
from shared.concurrency import Bulkhead
from shared.health import Health
from shared.lifecycle import open_platform
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import UnknownModel

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers find as `request.state.context`."""

    translation: TranslationService
    analysis: AnalysisService


@asynccontextmanager
async def open_context(
    settings: NlpSettings, health: Health, metrics: Metrics
) -> AsyncIterator[Context]:
    """Open database, Triton, language detector and worker threads; close them in reverse."""
    limits = NlpLimits(
        bounds=TextBounds(
            items=settings.nlp_max_items,
            characters=settings.nlp_max_characters,
            total=settings.nlp_max_total_characters,
        ),
        batch_sentences=settings.nmt_batch_sentences,
        parallel_batches=settings.nlp_parallel_batches,
    )
    bulkhead = Bulkhead(settings.nlp_max_characters_in_progress)
    counters = NlpMetrics(metrics)
    detector = await asyncio.to_thread(LanguageDetector)
    async with open_platform(
        settings,
        migrations=MIGRATIONS,
        tables=[nmt_requests, nmt_results, nlp_requests, nlp_results],
        models=[*settings.nmt_models.values(), *settings.sentiment_models.values()],
        health=health,
        metrics=metrics,
    ) as platform:
        with ThreadPoolExecutor(settings.nlp_threads, "nlp") as workers:
            yield Context(
                TranslationService(
                    NmtModel(platform.triton),
                    TranslationRepository(platform),
                    settings.nmt_models,
                    ModelSelector(
                        settings.nmt_models, platform.triton.model_ready, UnknownModel, metrics
                    ),
                    limits,
                    counters,
                    workers,
                    bulkhead,
                ),
                AnalysisService(
                    SentimentModel(platform.triton),
                    detector,
                    AnalysisRepository(platform),
                    settings.sentiment_models,
                    limits,
                    counters,
                    workers,
                    bulkhead,
                ),
            )
