"""Settings of the gateway, read from `SPEECHGATE_…` environment variables."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from gateway.services.client_address import parse_networks
from shared.settings import Bytes, CommonSettings, Seconds


class GatewaySettings(CommonSettings):
    """Everything the gateway can be told from outside."""

    admin_host: str = Field(default="127.0.0.1", description="Listen address of the admin port")
    admin_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of its own for /metrics and /health/detailed, which the public one then "
        "does not have; 0: none",
    )
    redis_url: str = Field(
        default="", description="redis://…; empty: limits and key cache in this process only"
    )
    key_pepper_file: Path = Field(description="Secret bytes for the HMAC of API keys")
    key_pepper_version: int = Field(default=1, ge=1)
    key_previous_pepper_files: dict[int, Path] = Field(
        default_factory=dict, description="Earlier peppers by version; their keys stay valid"
    )
    identity_private_key_file: Path = Field(description="Ed25519 private key (PKCS8 PEM)")

    asr_urls: str = Field(
        default="",
        description="ASR replicas: comma-separated base URLs, file:/path (one a line), "
        "dns://host:port or srv://_service._proto.name",
    )
    tts_urls: str = Field(default="", description="TTS replicas, likewise")
    nlp_urls: str = Field(default="", description="NLP replicas, likewise")

    rate_per_minute: int = Field(default=60, ge=1, description="Requests of one key in 60 s")
    rate_per_hour: int = Field(default=1_000, ge=1)
    rate_per_day: int = Field(default=10_000, ge=1)

    upstream_connect_timeout_s: Seconds = 1.0
    upstream_timeout_s: Seconds = Field(
        default=120.0, description="Longest time from the request to the end of the answer"
    )
    upstream_slow_timeout_s: Seconds = Field(
        default=900.0, description="The same for routes that recognize recordings of up to an hour"
    )
    call_analysis_timeout_s: Seconds = Field(
        default=20.0,
        description="Longest wait for what a call's answer can do without: sentiment and moments, "
        "and each part of a stored call",
    )
    upstream_max_in_flight: int = Field(
        default=256, ge=1, description="Requests at one replica; more are refused at once"
    )
    upstream_service_max_in_flight: int = Field(
        default=1024, ge=1, description="Requests at all replicas of one service"
    )
    upstream_slow_start_s: Seconds = Field(
        default=10.0, description="Time in which the share of a new replica grows to the whole"
    )
    upstream_max_lookup_wait_s: Seconds = Field(
        default=30.0, description="Longest time between two look-ups of replicas"
    )
    max_in_flight: int = Field(
        default=2048, ge=1, description="Proxied requests in this process; more are shed"
    )

    trusted_proxies: str = Field(
        default="",
        description="Networks of the proxies in front, comma-separated; their X-Forwarded-For is "
        "believed, and nobody else's",
    )

    # Client connections.
    max_connections: int = Field(default=16_384, ge=1, description="More are closed at once")
    max_head_bytes: Bytes = Field(
        default=32 * 1024, description="Largest request line and header fields together"
    )
    head_timeout_s: Seconds = Field(
        default=10.0, description="Longest time for the head of a request to arrive"
    )
    min_body_rate: Bytes = Field(
        default=512, description="Bytes per second that a request body keeps to after 10 s"
    )
    send_timeout_s: Seconds = Field(
        default=30.0, description="Longest time for a client to read nothing of its answer"
    )
    stream_idle_timeout_s: Seconds = Field(
        default=60.0, description="Longest silence of a WebSocket, in both directions together"
    )
    stream_max_bytes: Bytes = Field(
        default=1 << 30, description="Most that a client may send over one WebSocket"
    )
    small_body_bytes: Bytes = Field(
        default=1024 * 1024, description="Largest body of a route that takes no audio"
    )
    recording_body_bytes: Bytes = Field(
        default=256 * 1024 * 1024, description="Largest upload of a recording (multipart)"
    )
    composed_body_bytes: Bytes = Field(
        default=256 * 1024 * 1024,
        description="Bodies of pipelines in this process's memory together; more are refused",
    )
    trace_follow_clients: bool = Field(
        default=False,
        description="Whether a client's traceparent decides if its request is traced; else "
        "trace_sample does for all",
    )
    usage_flush_s: Seconds = Field(default=5.0, description="How often last_used_at is written")

    # Feature flags: from a file, or from Unleash; without either every flag has its default.
    flags_file: Path | None = Field(
        default=None, description="Flags as JSON in the shape of Unleash's /api/client/features"
    )
    unleash_url: str = Field(default="", description="Base URL of Unleash, e.g. http://host:4242")
    unleash_token_file: Path | None = Field(
        default=None, description="Backend token of Unleash; it decides the environment"
    )
    unleash_environment: str = Field(
        default="development",
        pattern=r"^[0-9A-Za-z._~-]{1,50}$",
        description="Name of the environment whose flags these are",
    )
    unleash_refresh_s: Seconds = Field(default=10.0, description="How often Unleash is asked")
    flags_cache_dir: Path | None = Field(
        default=None, description="Folder that keeps Unleash's flags over a restart"
    )
    flag_audit_sample: float = Field(
        default=1.0, ge=0, le=1, description="Part of the evaluations of flags that is stored"
    )
    flag_audit_flush_s: Seconds = Field(default=1.0, description="How often they are written")
    flag_audit_keep_days: int = Field(
        default=90, ge=0, le=36_500, description="How long they are kept; 0: for ever"
    )

    @model_validator(mode="after")
    def _check_ports(self) -> Self:
        if self.admin_port and self.admin_port == self.port:
            raise ValueError("admin_port and port must differ")
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, networks: str) -> str:
        parse_networks(networks)
        return networks

    @model_validator(mode="after")
    def _check_flags(self) -> Self:
        if self.flags_file is not None and self.unleash_url:
            raise ValueError("set flags_file or unleash_url, not both")
        if self.unleash_url and self.unleash_token_file is None:
            raise ValueError("unleash_url needs unleash_token_file")
        return self
