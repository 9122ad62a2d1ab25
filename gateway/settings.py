"""Settings of the gateway, read from `SPEECHGATE_…` environment variables."""

from pathlib import Path

from pydantic import Field

from shared.settings import Bytes, CommonSettings, Seconds


class GatewaySettings(CommonSettings):
    """Everything the gateway can be told from outside."""

    redis_url: str = Field(
        default="", description="redis://…; empty: limits and key cache in this process only"
    )
    key_pepper_file: Path = Field(description="Secret bytes for the HMAC of API keys")
    key_pepper_version: int = Field(default=1, ge=1)
    key_previous_pepper_files: dict[int, Path] = Field(
        default_factory=dict, description="Earlier peppers by version; their keys stay valid"
    )
    identity_private_key_file: Path = Field(description="Ed25519 private key (PKCS8 PEM)")

    asr_urls: str = Field(default="", description="Comma-separated base URLs of ASR replicas")
    tts_urls: str = Field(default="", description="Comma-separated base URLs of TTS replicas")
    nlp_urls: str = Field(default="", description="Comma-separated base URLs of NLP replicas")

    rate_per_minute: int = Field(default=60, ge=1, description="Requests of one key in 60 s")
    rate_per_hour: int = Field(default=1_000, ge=1)
    rate_per_day: int = Field(default=10_000, ge=1)

    upstream_connect_timeout_s: Seconds = 1.0
    upstream_timeout_s: Seconds = Field(
        default=120.0, description="Longest time from the request to the end of the answer"
    )
    upstream_max_in_flight: int = Field(
        default=256, ge=1, description="Requests at one replica; more are refused at once"
    )
    small_body_bytes: Bytes = Field(
        default=1024 * 1024, description="Largest body of a route that takes no audio"
    )
    usage_flush_s: Seconds = Field(default=5.0, description="How often last_used_at is written")
