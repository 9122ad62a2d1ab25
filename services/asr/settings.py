"""Settings of the ASR service; each is an environment variable `SPEECHGATE_…`."""

import os
from typing import Annotated

from pydantic import Field

from shared.audio.contract import DecodeBounds
from shared.audio.decode import DecodeLimits
from shared.settings import Bytes, Seconds, ServiceSettings
from shared.ssrf import FetchPolicy, parse_allowed

Count = Annotated[int, Field(ge=1)]
MEGABYTE = 1 << 20


class AsrSettings(ServiceSettings):
    """What the ASR service reads beyond the common settings."""

    port: int = Field(default=8001, ge=0, le=65535)
    asr_models: dict[str, str] = Field(
        default={"default": "asr", "asr": "asr"},
        description="serviceId of a request → Triton model name, as a JSON object",
    )
    vad_model: str = Field(default="vad", description="Triton model that finds speech")
    asr_parallel: Count = Field(
        default=os.cpu_count() or 1,
        description="Segments recognized at once; the instances of the model that this process has",
    )
    asr_max_requests: Count = Field(
        default=256, description="Requests in work; more are answered 503"
    )
    asr_max_audio_s: Seconds = Field(
        default=600.0, description="Longest audio of a synchronous request"
    )
    asr_segment_max_s: Seconds = Field(
        default=20.0,
        description="Longest segment sent to the model; the embedded model cuts longer ones itself",
    )
    asr_segment_pad_s: float = Field(
        default=0.3, ge=0, description="Silence kept on both sides of speech"
    )
    decode_processes: Count = Field(default=2, description="Decoder child processes")
    decode_timeout_s: Seconds = Field(default=8.0, description="Longest decode of one file")
    decode_memory_bytes: Bytes = Field(
        default=1024 * MEGABYTE, description="Address space of a decoder child"
    )
    decode_max_waiting: Count = Field(
        default=128, description="Files that may wait for a decoder; more are answered 503"
    )
    fetch_max_bytes: Bytes = Field(default=24 * MEGABYTE, description="Largest audioUri content")
    fetch_allow_http: bool = Field(default=False, description="Whether audioUri may be plain http")
    fetch_allowed_ports: str = Field(
        default="80,443", description="Ports of an audioUri, separated by commas"
    )
    fetch_allowed_networks: str = Field(
        default="",
        description="Networks and host names, separated by commas, that an audioUri may name "
        "although they are not public",
    )

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
