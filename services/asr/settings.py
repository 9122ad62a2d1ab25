"""Settings of the ASR service; each is an environment variable `SPEECHGATE_…`."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from services.asr.stream_settings import StreamSettings
from shared.audio.contract import DecodeBounds
from shared.audio.decode import DecodeLimits
from shared.serving import DEFAULT_SERVICE
from shared.settings import Bytes, Seconds
from shared.ssrf import FetchPolicy, parse_allowed

Count = Annotated[int, Field(ge=1)]
MEGABYTE = 1 << 20


class AsrSettings(StreamSettings):
    """What the ASR service reads beyond the common settings."""

    port: int = Field(default=8001, ge=0, le=65535)
    asr_models: dict[str, str] = Field(
        default={"default": "asr", "asr": "asr"},
        description="serviceId of a request → Triton model name, as a JSON object",
    )
    asr_language_models: dict[str, str] = Field(
        default={},
        description="Language → serviceId of requests that name none, as a JSON object; the "
        "default model has the others",
    )
    asr_default_language: str = Field(
        default="en", description="Language of a request in the OpenAI dialect that names none"
    )
    asr_openai_models: dict[str, str] = Field(
        default={
            "whisper-1": "default",
            "gpt-transcribe": "default",
            "gpt-4o-transcribe": "default",
            "gpt-4o-mini-transcribe": "default",
            "gpt-4o-transcribe-diarize": "default",
        },
        description="Model name of the OpenAI dialect → serviceId, as a JSON object; a serviceId "
        "is a model name too",
    )
    nmt_model: str = Field(
        default="nmt", description="Triton model that translates transcripts into English"
    )
    vad_model: str = Field(default="vad", description="Triton model that finds speech")
    speaker_model: str = Field(
        default="speaker", description="Triton model that makes vectors of voices"
    )
    speaker_parallel: Count = Field(
        default=2, description="Calls of the speaker model at once; its instances"
    )
    diarization_threshold: float = Field(
        default=0.36,
        gt=0,
        lt=1,
        description="Mean cosine distance up to which two groups of voice vectors are one speaker",
    )
    speaker_threshold: float = Field(
        default=0.8, gt=0, lt=1, description="Cosine from which a voice may be a known speaker's"
    )
    speaker_margin: float = Field(
        default=0.05, ge=0, lt=1, description="By so much no other known speaker may be near"
    )
    speakers_max_per_tenant: Count = Field(
        default=1000, description="Known speakers of a tenant; more are answered 409"
    )
    speaker_max_prototypes: Count = Field(
        default=20, description="Recordings of a known speaker; more are answered 409"
    )
    data_key_file: Path | None = Field(
        default=None,
        description="Root keys of stored voices and recordings, a line `id base64` each, the "
        "newest first; without it no voice is stored or recognized, and no recording is kept",
    )
    recordings_keep_days: int = Field(
        default=7, ge=0, le=3_650, description="How long recordings of calls are kept; 0: never"
    )
    recordings_max_bytes: Bytes = Field(
        default=1024 * MEGABYTE,
        description="Kept recordings of a tenant, encrypted; beyond it, the oldest go",
    )
    asr_parallel: Count = Field(
        default=os.cpu_count() or 1,
        description="Segments recognized at once; the instances of the model that this process has",
    )
    asr_max_requests: Count = Field(
        default=256, description="Requests in work; more are answered 503"
    )
    asr_max_audio_s: Seconds = Field(
        default=3600.0,
        description="Longest audio of a synchronous request, all items and channels together",
    )
    asr_segment_max_s: Seconds = Field(
        default=20.0,
        description="Longest segment sent to the model; the embedded model cuts longer ones itself",
    )
    asr_segment_pad_s: float = Field(
        default=0.25, ge=0, description="Silence kept on both sides of speech"
    )
    decode_processes: Count = Field(default=2, description="Decoder child processes")
    decode_timeout_s: Seconds = Field(
        default=8.0,
        description="Longest decode of a small file; a large one gets a second more for 250 kB",
    )
    decode_memory_bytes: Bytes = Field(
        default=1024 * MEGABYTE, description="Address space of a decoder child"
    )
    decode_max_waiting: Count = Field(
        default=128, description="Files that may wait for a decoder; more are answered 503"
    )
    asr_max_upload_bytes: Bytes = Field(
        default=256 * MEGABYTE, description="Largest body of a multipart upload"
    )
    scratch_dir: Path | None = Field(
        default=None,
        description="Folder of temporary files that hold recordings in work; `scratch` in "
        "spool_dir when absent. On a disk, not in memory (tmpfs)",
    )
    scratch_max_bytes: Bytes = Field(
        default=4096 * MEGABYTE, description="All of them together; beyond it, 503 scratch_full"
    )
    fetch_max_bytes: Bytes = Field(default=256 * MEGABYTE, description="Largest audioUri content")
    fetch_allow_http: bool = Field(default=False, description="Whether audioUri may be plain http")
    fetch_allowed_ports: str = Field(
        default="80,443", description="Ports of an audioUri, separated by commas"
    )
    fetch_allowed_networks: str = Field(
        default="",
        description="Networks and host names, separated by commas, that an audioUri may name "
        "although they are not public",
    )

    @model_validator(mode="after")
    def names_exist(self) -> Self:
        """Every serviceId that another setting names is one of `asr_models`."""
        named = {*self.asr_language_models.values(), *self.asr_openai_models.values()}
        unknown = named - {*self.asr_models, DEFAULT_SERVICE}
        if unknown:
            raise ValueError(f"no such serviceId in asr_models: {', '.join(sorted(unknown))}")
        return self

    def needed_models(self) -> list[str]:
        """Triton models without which the service is not ready."""
        default = self.asr_models.get(DEFAULT_SERVICE)
        return [*([default] if default else self.asr_models.values()), self.vad_model]

    def decode_limits(self) -> DecodeLimits:
        """The bounds of the decoder."""
        bounds = DecodeBounds(
            max_seconds=self.asr_max_audio_s, max_samples=int(self.asr_max_audio_s) * 96_000
        )
        return DecodeLimits(
            bounds=bounds,
            timeout_s=self.decode_timeout_s,
            memory_bytes=self.decode_memory_bytes,
            max_waiting=self.decode_max_waiting,
        )

    def fetch_policy(self) -> FetchPolicy:
        """What an audioUri may name."""
        networks, hosts = parse_allowed(self.fetch_allowed_networks.split(","))
        return FetchPolicy(
            max_bytes=self.fetch_max_bytes,
            allow_http=self.fetch_allow_http,
            ports=frozenset(map(int, filter(None, self.fetch_allowed_ports.split(",")))),
            networks=networks,
            hosts=hosts,
        )


def load_settings() -> AsrSettings:
    """The settings of this process's environment."""
    return AsrSettings()
