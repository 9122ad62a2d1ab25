"""Settings that every process reads from `SPEECHGATE_…` environment variables."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]
Bytes = Annotated[int, Field(gt=0)]


class CommonSettings(BaseSettings):
    """What the gateway and every service have in common."""

    model_config = SettingsConfigDict(env_prefix="SPEECHGATE_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str = Field(
        description="SQLAlchemy async URL: sqlite+aiosqlite or postgresql+asyncpg"
    )
    database_pool_size: int = Field(default=8, ge=1)
    database_wait_s: float = Field(
        default=60.0,
        ge=0,
        description="Longest wait at the start until the database answers and is migrated",
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    reuse_port: bool = Field(
        default=False,
        description="Other processes of this account may listen on the same address (SO_REUSEPORT)",
    )
    shutdown_grace_s: Seconds = Field(
        default=30.0, description="Time to finish requests after SIGTERM"
    )
    shutdown_linger_s: float = Field(
        default=1.0,
        ge=0,
        description="Of the grace time, how long idle connections are served once more",
    )
    max_body_bytes: Bytes = Field(default=32 * 1024 * 1024, description="Largest request body")
    receive_timeout_s: Seconds = Field(
        default=30.0, description="Longest wait for the next part of a request body"
    )
    otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$",
        description="Base URL of a receiver of traces by OTLP over HTTP, e.g. "
        "http://collector:4318; empty: no traces",
    )
    trace_sample: float = Field(
        default=1.0, ge=0, le=1, description="Part of the requests of which a trace is made"
    )


class ServiceSettings(CommonSettings):
    """What the ASR, TTS and NLP services have in common."""

    triton_url: str = Field(default="127.0.0.1:8001", description="gRPC host:port of Triton")
    triton_timeout_s: Seconds = Field(default=60.0, description="Longest single inference")
    identity_public_key_file: Path = Field(description="Ed25519 public key (PEM) of the gateway")
    spool_dir: Path = Field(
        description="Folder that keeps accepted results while the database is unreachable"
    )


class StreamingSettings(ServiceSettings):
    """What services with live streams have in common."""

    stream_max: int = Field(default=256, ge=1, description="Open streams of this process")
    stream_max_per_tenant: int = Field(
        default=64, ge=1, description="Open streams of one organization in this process"
    )
    stream_max_message_bytes: Bytes = Field(
        default=1 << 20, description="Largest message of a client; a larger one closes with 1009"
    )
    stream_start_timeout_s: Seconds = Field(
        default=10.0, description="Longest wait for a stream's start message"
    )
    stream_idle_timeout_s: Seconds = Field(
        default=45.0, description="Longest time in which no audio, or no text to speak, comes"
    )
    stream_slow_reader_s: Seconds = Field(
        default=10.0, description="Longest time that a client takes for one event"
    )
    stream_drain_s: Seconds = Field(
        default=5.0, description="Time for what open streams have received, after SIGTERM"
    )
