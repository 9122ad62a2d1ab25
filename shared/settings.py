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
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    shutdown_grace_s: Seconds = Field(
        default=30.0, description="Time to finish requests after SIGTERM"
    )
    max_body_bytes: Bytes = Field(default=32 * 1024 * 1024, description="Largest request body")
    receive_timeout_s: Seconds = Field(
        default=30.0, description="Longest wait for the next part of a request body"
    )


class ServiceSettings(CommonSettings):
    """What the ASR, TTS and NLP services have in common."""

    triton_url: str = Field(default="127.0.0.1:8001", description="gRPC host:port of Triton")
    triton_timeout_s: Seconds = Field(default=60.0, description="Longest single inference")
    identity_public_key_file: Path = Field(description="Ed25519 public key (PEM) of the gateway")
    spool_dir: Path = Field(
        description="Folder that keeps accepted results while the database is unreachable"
    )
