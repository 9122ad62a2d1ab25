"""What lives as long as the process, and the order in which it closes."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.tts.db.schema import MIGRATIONS
from services.tts.db.tables import tts_requests, tts_results
from services.tts.inference.tts import TtsModel
from services.tts.repositories.lexicon import LexiconRepository
from services.tts.repositories.speech import SpeechRepository
from services.tts.services.lexicon import LexiconMetrics, LexiconService
from services.tts.services.metrics import TtsMetrics
from services.tts.services.narration import Narrator
from services.tts.services.openai_names import OpenAiNames
from services.tts.services.part_cache import PartCache
from services.tts.services.parts import PartSource
from services.tts.services.runs import Engine, Runs, SpeechLimits
from services.tts.services.speech import SpeechService
from services.tts.services.writing import ScriptWriter
from services.tts.settings import TtsSettings
from services.tts.streaming.limits import LiveLimits
from services.tts.streaming.monitor import LiveMonitor
from services.tts.streaming.service import LiveService
from shared.health import Health
from shared.lifecycle import open_platform
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.streams import StreamPlaces
from shared.text.bounds import TextBounds
from shared.text.problems import UnknownModel


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers find as `request.state.context`."""

    speech: SpeechService
    live: LiveService
    openai_names: OpenAiNames
    lexicon: LexiconService


@asynccontextmanager
async def open_context(
    settings: TtsSettings, health: Health, metrics: Metrics
) -> AsyncIterator[Context]:
    """Open database, Triton and worker threads; close them in reverse."""
    limits = SpeechLimits(
        bounds=TextBounds(
            items=settings.tts_max_items,
            characters=settings.tts_max_characters,
            total=settings.tts_max_total_characters,
        ),
        characters_in_progress=settings.tts_max_characters_in_progress,
        audio_bytes=settings.tts_max_audio_bytes,
    )
    async with open_platform(
        settings,
        migrations=MIGRATIONS,
        tables=[tts_requests, tts_results],
        models=settings.tts_models.values(),
        health=health,
        metrics=metrics,
    ) as platform:
        counted = TtsMetrics(metrics)
        lexicon = LexiconService(
            LexiconRepository(platform.engine, settings.tts_lexicon_entries),
            LexiconMetrics(metrics),
            settings.tts_lexicon_ttl_s,
        )
        with ThreadPoolExecutor(settings.tts_encode_threads, "tts-encode") as workers:
            model = TtsModel(platform.triton)
            cache = PartCache(settings.tts_cache_bytes, settings.tts_cache_ttl_s, counted)
            engine = Engine(
                model,
                settings.tts_models,
                ModelSelector(
                    settings.tts_models, platform.triton.model_ready, UnknownModel, metrics
                ),
                ScriptWriter(settings.tts_chunk_characters, workers, lexicon.pronunciations),
                Narrator(PartSource(model, cache), settings.tts_parallel_chunks),
                workers,
                settings.tts_default_language,
            )
            repository = SpeechRepository(platform)
            runs = Runs(engine, repository, limits, counted)
            live = _live(settings, runs, metrics)
            # Before the connections that tell its events are closed.
            health.drains.insert(0, live.drain)
            try:
                yield Context(
                    SpeechService(runs, repository, counted),
                    live,
                    OpenAiNames(
                        settings.tts_models, settings.tts_openai_models, settings.tts_openai_voices
                    ),
                    lexicon,
                )
            finally:
                await live.close()


def _live(settings: TtsSettings, runs: Runs, metrics: Metrics) -> LiveService:
    limits = LiveLimits(
        characters=settings.tts_stream_max_characters,
        longest_s=settings.tts_stream_max_s,
        idle_s=settings.stream_idle_timeout_s,
        start_s=settings.stream_start_timeout_s,
        slow_s=settings.stream_slow_reader_s,
        drain_s=settings.stream_drain_s,
    )
    places = StreamPlaces(settings.stream_max, settings.stream_max_per_tenant)
    return LiveService(runs, places, limits, LiveMonitor(metrics, settings.stream_max))
