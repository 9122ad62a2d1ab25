"""What lives as long as the process, and the order in which it opens and closes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.asr.db.tables import asr_requests, asr_results
from services.asr.exceptions import unknown_model
from services.asr.inference.asr_model import AsrModel
from services.asr.inference.vad_model import VadModel
from services.asr.models.audio import SAMPLE_RATE
from services.asr.repositories.asr_requests import AsrRequestRepository
from services.asr.services.asr_service import AsrService
from services.asr.services.intake import Intake
from services.asr.services.monitor import AsrMonitor
from services.asr.services.packing import PackingRules
from services.asr.services.recognition import Recognizer
from services.asr.settings import AsrSettings
from shared.audio.decode import DecodePool
from shared.health import Health
from shared.lifecycle import Platform, open_platform
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.ssrf import GuardedFetcher

MIGRATIONS = Path(__file__).with_name("migrations")


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers find as `request.state.context`."""

    service: AsrService


@asynccontextmanager
async def open_context(
    settings: AsrSettings, health: Health, metrics: Metrics
) -> AsyncIterator[Context]:
    """Open everything; close in reverse, the writer after the last row."""
    async with AsyncExitStack() as stack:
        # First: a fork beside gRPC's threads makes gRPC complain.
        decoder = DecodePool(settings.decode_limits(), metrics, size=settings.decode_processes)
        stack.push_async_callback(decoder.close)
        await decoder.start()
        health.add("decoder", decoder.check, critical=True)

        platform = await stack.enter_async_context(
            open_platform(
                settings,
                migrations=MIGRATIONS,
                tables=[asr_requests, asr_results],
                models=[*settings.asr_models.values(), settings.vad_model],
                health=health,
                metrics=metrics,
            )
        )
        fetcher = GuardedFetcher(settings.fetch_policy())
        stack.push_async_callback(fetcher.close)
        service = _service(settings, platform, decoder, fetcher, metrics)
        stack.push_async_callback(service.close)
        yield Context(service)


def _service(
    settings: AsrSettings,
    platform: Platform,
    decoder: DecodePool,
    fetcher: GuardedFetcher,
    metrics: Metrics,
) -> AsrService:
    asr, vad = AsrModel(platform.triton), VadModel(platform.triton, settings.vad_model)
    rules = PackingRules(
        max_length=int(settings.asr_segment_max_s * SAMPLE_RATE),
        pad=int(settings.asr_segment_pad_s * SAMPLE_RATE),
    )
    return AsrService(
        intake=Intake(decoder, fetcher, settings.asr_max_audio_s),
        recognizer=Recognizer(asr, vad, rules, settings.asr_parallel),
        asr=asr,
        requests=AsrRequestRepository(platform),
        monitor=AsrMonitor(metrics),
        models=settings.asr_models,
        selector=ModelSelector(
            settings.asr_models, platform.triton.model_ready, unknown_model, metrics
        ),
        max_requests=settings.asr_max_requests,
    )
