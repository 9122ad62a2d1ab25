"""The ways to the services."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.models.routes import Service
from gateway.settings import GatewaySettings
from gateway.upstream.control_client import control_client
from gateway.upstream.lean_client import LeanClient
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.pool import ReplicaPool
from gateway.upstream.sources import parse_replicas
from shared.health import Health
from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer
from shared.metrics import Metrics

_PROBE_TIMEOUT_S = 1.0
_DOCUMENT_TIMEOUT_S = 3.0
_SELF = Identity("gateway", "gateway", frozenset())


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The services.

    Attributes:
        pools: Replicas by service.
        issuer: Signs what services are told.
    """

    pools: Mapping[Service, ReplicaPool]
    issuer: IdentityIssuer
    _control: httpx.AsyncClient

    async def fetch_document(self, service: Service) -> dict[str, Any]:
        """A service's OpenAPI document."""
        replica = self.pools[service].replicas[0].url
        answer = await self._control.get(
            f"{replica}/openapi.json",
            headers={IDENTITY_HEADER: self.issuer.issue(_SELF, service)},
            timeout=_DOCUMENT_TIMEOUT_S,
        )
        document: dict[str, Any] = answer.raise_for_status().json()
        return document


@asynccontextmanager
async def open_upstreams(
    settings: GatewaySettings, health: Health, metrics: Metrics
) -> AsyncIterator[Upstreams]:
    """Find the replicas, and look after them from then on."""
    issuer = IdentityIssuer.from_file(settings.identity_private_key_file)
    async with control_client() as control:

        async def probe(base_url: str) -> None:
            answer = await control.get(f"{base_url}/health", timeout=_PROBE_TIMEOUT_S)
            answer.raise_for_status()

        client = LeanClient(
            connect_timeout_s=settings.upstream_connect_timeout_s,
            total_timeout_s=settings.upstream_timeout_s,
        )
        counted = UpstreamMetrics(metrics, settings.upstream_service_max_in_flight)
        pools = {
            service: ReplicaPool(
                service,
                parse_replicas(where),
                client,
                probe,
                counted,
                max_in_flight=settings.upstream_max_in_flight,
                max_in_service=settings.upstream_service_max_in_flight,
                slow_start_s=settings.upstream_slow_start_s,
                max_lookup_wait_s=settings.upstream_max_lookup_wait_s,
                clock=asyncio.get_running_loop().time,
            )
            for service, where in service_urls(settings).items()
        }
        for service, pool in pools.items():
            pool.start()
            health.add(f"{service}-service", pool.check, critical=False)
        try:
            await asyncio.gather(*(pool.settle() for pool in pools.values()))
            yield Upstreams(pools, issuer, control)
        finally:
            for pool in pools.values():
                await pool.stop()
            await client.close()


def service_urls(settings: GatewaySettings) -> dict[Service, str]:
    """Where the replicas of each service are, as configured."""
    return {
        Service.ASR: settings.asr_urls,
        Service.TTS: settings.tts_urls,
        Service.NLP: settings.nlp_urls,
    }
