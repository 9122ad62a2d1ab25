"""What lives as long as the process, and the order in which it closes."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.nlp.db.schema import MIGRATIONS
from services.nlp.db.tables import (
    nlp_conversation_results,
    nlp_conversations,
    nlp_requests,
    nlp_results,
    nmt_requests,
    nmt_results,
)
from services.nlp.inference.langid import LanguageDetector
from services.nlp.inference.nmt import NmtModel
from services.nlp.inference.rewriting import RewritingModel
from services.nlp.inference.sentiment import SentimentModel
from services.nlp.inference.transliteration import TransliterationModel
from services.nlp.models.analysis import Task
from services.nlp.models.glossary import GlossaryLimits
from services.nlp.repositories.analyses import AnalysisRepository
from services.nlp.repositories.conversation_rules import ConversationRulesRepository
from services.nlp.repositories.conversations import ConversationRepository
from services.nlp.repositories.erasures import ErasureRepository
from services.nlp.repositories.glossaries import GlossaryRepository
from services.nlp.repositories.translations import TranslationRepository
from services.nlp.services.analysis import AnalysisService
from services.nlp.services.annotation import AnnotationService
from services.nlp.services.conversation_bounds import ConversationBounds
from services.nlp.services.conversation_counts import ConversationCounts
from services.nlp.services.conversation_rules import ConversationRules
from services.nlp.services.conversations import ConversationService, ConversationSettings
from services.nlp.services.course import Course
from services.nlp.services.erasing import ErasureService
from services.nlp.services.glossaries import GlossaryService
from services.nlp.services.limits import NlpLimits
from services.nlp.services.metrics import NlpMetrics
from services.nlp.services.rewriting import RewritingService
from services.nlp.services.translation import TranslationService
from services.nlp.services.transliteration import TransliterationService
from services.nlp.settings import NlpSettings
from shared.concurrency import Bulkhead
from shared.health import Health
from shared.lifecycle import open_platform
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.text.bounds import TextBounds
from shared.text.problems import UnknownModel


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers find as `request.state.context`."""

    translation: TranslationService
    glossaries: GlossaryService
    transliteration: TransliterationService
    analysis: AnalysisService
    annotation: AnnotationService
    rewriting: RewritingService
    erasure: ErasureService
    conversations: ConversationService
    conversation_rules: ConversationRules


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
        sentences=settings.nmt_max_sentences,
    )
    bulkhead = Bulkhead(settings.nlp_max_characters_in_progress)
    counters = NlpMetrics(metrics)
    detector = await asyncio.to_thread(LanguageDetector)
    async with open_platform(
        settings,
        migrations=MIGRATIONS,
        tables=[
            nmt_requests,
            nmt_results,
            nlp_requests,
            nlp_results,
            nlp_conversations,
            nlp_conversation_results,
        ],
        models=[
            *settings.nmt_models.values(),
            *settings.sentiment_models.values(),
            *settings.transliteration_models.values(),
            *_rewriting_models(settings).values(),
        ],
        health=health,
        metrics=metrics,
    ) as platform:
        with ThreadPoolExecutor(settings.nlp_threads, "nlp") as workers:
            glossaries = GlossaryService(
                GlossaryRepository(
                    platform.engine,
                    GlossaryLimits(settings.glossary_max_count, settings.glossary_max_terms),
                )
            )
            analyses = AnalysisRepository(platform)
            course = Course(analyses, limits, counters, workers, bulkhead)
            selector = ModelSelector(
                settings.nmt_models, platform.triton.model_ready, UnknownModel, metrics
            )
            conversation_rules = ConversationRules(
                ConversationRulesRepository(platform.engine, settings.conversation_rules_versions),
                workers,
            )
            yield Context(
                TranslationService(
                    NmtModel(platform.triton),
                    TranslationRepository(platform),
                    glossaries,
                    settings.nmt_models,
                    selector,
                    limits,
                    counters,
                    workers,
                    bulkhead,
                ),
                glossaries,
                TransliterationService(
                    TransliterationModel(platform.triton),
                    analyses,
                    settings.transliteration_models,
                    selector.sibling(settings.transliteration_models),
                    limits,
                    counters,
                    workers,
                    bulkhead,
                ),
                AnalysisService(
                    SentimentModel(platform.triton),
                    detector,
                    course,
                    selector.sibling(settings.sentiment_models),
                    limits,
                ),
                AnnotationService(course),
                RewritingService(
                    RewritingModel(platform.triton), course, _rewriting_models(settings), limits
                ),
                ErasureService(ErasureRepository(platform)),
                ConversationService(
                    SentimentModel(platform.triton),
                    ConversationRepository(platform),
                    conversation_rules,
                    _conversation_settings(settings),
                    ConversationCounts(metrics),
                    workers,
                    bulkhead,
                ),
                conversation_rules,
            )


def _rewriting_models(settings: NlpSettings) -> dict[Task, str]:
    """The models that take the place of rules."""
    named = {Task.ITN: settings.itn_model, Task.PUNCTUATION: settings.punctuation_model}
    return {task: model for task, model in named.items() if model}


def _conversation_settings(settings: NlpSettings) -> ConversationSettings:
    return ConversationSettings(
        bounds=ConversationBounds(
            segments=settings.conversation_max_segments,
            characters=settings.nlp_max_characters,
            total=settings.conversation_max_characters,
        ),
        model=settings.sentiment_models["default"],
        parallel_batches=settings.nlp_parallel_batches,
        sentiment_timeout_s=settings.conversation_sentiment_timeout_s,
    )
