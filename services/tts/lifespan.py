"""What lives as long as the process, and the order in which it closes."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.tts.db.tables import tts_requests, tts_results
from services.tts.inference.tts import TtsModel
from services.tts.repositories.speech import SpeechRepository
from services.tts.services.metrics import TtsMetrics
from services.tts.services.speech import SpeechLimits, SpeechService
from services.tts.settings import TtsSettings
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

    speech: SpeechService


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
        chunk_characters=settings.tts_chunk_characters,
        parallel_chunks=settings.tts_parallel_chunks,
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
        with ThreadPoolExecutor(settings.tts_encode_threads, "tts-encode") as workers:
            yield Context(
                SpeechService(
                    TtsModel(platform.triton),
                    SpeechRepository(platform),
                    settings.tts_models,
                    ModelSelector(
                        settings.tts_models, platform.triton.model_ready, UnknownModel, metrics
                    ),
                    limits,
                    TtsMetrics(metrics),
                    workers,
                )
            )
