"""What lives as long as the process, and the order in which it opens and closes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from services.asr.db.schema import MIGRATIONS
from services.asr.db.tables import asr_requests, asr_results
from services.asr.exceptions import unknown_model
from services.asr.inference.asr_model import AsrModel
from services.asr.inference.asr_stream_model import AsrStreamModel
from services.asr.inference.nmt_model import NmtModel
from services.asr.inference.speaker_model import SpeakerModel
from services.asr.inference.vad_model import VadModel
from services.asr.inference.vad_stream_model import VadStreamModel
from services.asr.models.audio import SAMPLE_RATE
from services.asr.models.calls import KeepingRules
from services.asr.models.speakers import SpeakerLimits
from services.asr.repositories.asr_requests import AsrRequestRepository
from services.asr.repositories.recordings import RecordingRepository
from services.asr.repositories.speaker_voices import SpeakerVoices
from services.asr.repositories.speakers import SpeakerRepository
from services.asr.services.asr_service import AsrService
from services.asr.services.call_monitor import RecordingMonitor
from services.asr.services.calls import CallService
from services.asr.services.diarization import DiarizationRules, Diarizer
from services.asr.services.diarization_service import DiarizationService
from services.asr.services.intake import Intake
from services.asr.services.model_names import ModelNames
from services.asr.services.monitor import AsrMonitor
from services.asr.services.packing import PackingRules
from services.asr.services.processors import ENGLISH_PROCESSORS
from services.asr.services.recognition import Recognizer
from services.asr.services.recordings import RecordingService
from services.asr.services.routing import ModelRouter
from services.asr.services.speakers import EnrolmentRules, SpeakerService
from services.asr.services.speakers_matching import MatchingRules
from services.asr.services.translation import SpeechTranslator
from services.asr.services.vad_service import VadService
from services.asr.settings import AsrSettings
from services.asr.streaming.monitor import StreamMonitor
from services.asr.streaming.parts import Bounds
from services.asr.streaming.service import StreamLimits, StreamService
from services.asr.streaming.ticker import VadTicker
from shared.audio.decode import DecodePool
from shared.audio.scratch import Scratch
from shared.concurrency import Bulkhead
from shared.crypto.envelope import Vault
from shared.crypto.keyring import read_key_ring
from shared.health import Health
from shared.lifecycle import Platform, open_platform
from shared.metrics import Metrics
from shared.serving import ModelSelector
from shared.ssrf import GuardedFetcher

_LIVE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Context:
    """What handlers find as `request.state.context`."""

    service: AsrService
    translator: SpeechTranslator
    vad: VadService
    names: ModelNames
    streams: StreamService
    diarization: DiarizationService
    speakers: SpeakerService
    calls: CallService


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
                models=settings.needed_models(),
                health=health,
                metrics=metrics,
            )
        )
        # Without one of the others, requests that need it are refused, and only they.
        others = sorted({*settings.asr_models.values()} - {*settings.needed_models()})
        if others:
            health.add("models", lambda: platform.triton.require_models(others), critical=False)
        fetcher = GuardedFetcher(settings.fetch_policy())
        stack.push_async_callback(fetcher.close)
        service = _service(settings, platform, decoder, fetcher, metrics)
        stack.push_async_callback(service.close)
        key_file = settings.data_key_file
        vault = None if key_file is None else Vault(read_key_ring(key_file))
        diarization = _diarization(settings, platform, service.intake, vault)
        service.diarization = diarization
        calls = _calls(settings, platform, service, vault, metrics)
        calls.recordings.start()
        stack.push_async_callback(calls.recordings.close)
        speakers = _speakers(settings, platform, diarization)
        voice_models = [settings.speaker_model]
        health.add("speakers", lambda: platform.triton.require_models(voice_models), critical=False)
        vad = VadService(
            service.intake,
            VadModel(platform.triton, settings.vad_model),
            Bulkhead(settings.asr_max_requests),
        )
        names = ModelNames(
            settings.asr_models, settings.asr_openai_models, settings.asr_default_language
        )
        nmt = NmtModel(platform.triton, settings.nmt_model)
        streams = _streams(settings, platform, service, metrics)
        stack.push_async_callback(streams.close)
        # Before the connections that tell their events are closed.
        health.drains.insert(0, streams.drain)
        live = sorted({settings.vad_stream_model, *settings.asr_stream_models.values()})
        health.add("streams", lambda: platform.triton.require_models(live), critical=False)
        streams.ticker.start()
        yield Context(
            service,
            SpeechTranslator(service, nmt),
            vad,
            names,
            streams,
            diarization,
            speakers,
            calls,
        )


def _calls(
    settings: AsrSettings,
    platform: Platform,
    core: AsrService,
    vault: Vault | None,
    metrics: Metrics,
) -> CallService:
    days, monitor = settings.recordings_keep_days, RecordingMonitor(metrics)
    recordings = RecordingService(
        RecordingRepository(platform.engine, vault),
        core.intake,
        KeepingRules(timedelta(days=days) if days else None, settings.recordings_max_bytes),
        monitor,
    )
    return CallService(core, recordings, monitor)


def _diarization(
    settings: AsrSettings, platform: Platform, intake: Intake, vault: Vault | None
) -> DiarizationService:
    return DiarizationService(
        intake=intake,
        diarizer=Diarizer(
            VadModel(platform.triton, settings.vad_model),
            SpeakerModel(platform.triton, settings.speaker_model),
            DiarizationRules(threshold=settings.diarization_threshold),
            settings.speaker_parallel,
        ),
        voices=SpeakerVoices(platform.engine, vault),
        rules=MatchingRules(settings.speaker_threshold, settings.speaker_margin),
        bulkhead=Bulkhead(settings.asr_max_requests),
    )


def _speakers(
    settings: AsrSettings, platform: Platform, diarization: DiarizationService
) -> SpeakerService:
    limits = SpeakerLimits(settings.speakers_max_per_tenant, settings.speaker_max_prototypes)
    return SpeakerService(
        speakers=SpeakerRepository(platform.engine, diarization.voices, limits),
        voices=diarization.voices,
        diarization=diarization,
        rules=EnrolmentRules(),
    )


def _streams(
    settings: AsrSettings, platform: Platform, core: AsrService, metrics: Metrics
) -> StreamService:
    model = VadStreamModel(platform.triton, settings.vad_stream_model, _LIVE_TIMEOUT_S)
    return StreamService(
        core=core,
        ticker=VadTicker(model, settings.stream_tick_s),
        partials=AsrStreamModel(platform.triton, _LIVE_TIMEOUT_S),
        partial_models=settings.asr_stream_models,
        monitor=StreamMonitor(metrics, settings.stream_max),
        limits=StreamLimits(
            bounds=Bounds(
                max_s=settings.stream_max_s,
                rate_factor=settings.stream_rate_factor,
                burst_s=settings.stream_burst_s,
                utterance_s=settings.stream_utterance_max_s,
            ),
            streams=settings.stream_max,
            tenant_streams=settings.stream_max_per_tenant,
            idle_s=settings.stream_idle_timeout_s,
            start_s=settings.stream_start_timeout_s,
            slow_s=settings.stream_slow_reader_s,
            drain_s=settings.stream_drain_s,
        ),
    )


def _service(
    settings: AsrSettings,
    platform: Platform,
    decoder: DecodePool,
    fetcher: GuardedFetcher,
    metrics: Metrics,
) -> AsrService:
    scratch = Scratch(
        settings.scratch_dir or settings.spool_dir / "scratch", settings.scratch_max_bytes, metrics
    )
    asr, vad = AsrModel(platform.triton), VadModel(platform.triton, settings.vad_model)
    rules = PackingRules(
        max_length=int(settings.asr_segment_max_s * SAMPLE_RATE),
        pad=int(settings.asr_segment_pad_s * SAMPLE_RATE),
    )
    selector = ModelSelector(
        settings.asr_models, platform.triton.model_ready, unknown_model, metrics
    )
    return AsrService(
        intake=Intake(decoder, fetcher, scratch, settings.asr_max_audio_s),
        recognizer=Recognizer(asr, vad, rules, settings.asr_parallel),
        requests=AsrRequestRepository(platform),
        monitor=AsrMonitor(metrics),
        router=ModelRouter(selector, asr, settings.asr_models, settings.asr_language_models),
        max_requests=settings.asr_max_requests,
        post_processors=ENGLISH_PROCESSORS,
    )
