"""Flags, senders and sinks for tests of feature flags."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.flags.client import FlagClient
from gateway.flags.file_provider import FileProvider
from gateway.flags.protocol import FlagSource
from gateway.models.flags import FlagContext, FlagEvaluation, Origin
from gateway.models.principal import Principal
from shared.identity import Identity
from shared.metrics import Metrics

ENVIRONMENT = "development"
Feature = dict[str, Any]


def strategy(
    rollout: int = 100,
    *,
    group: str = "g",
    stickiness: str = "default",
    variants: list[dict[str, Any]] | None = None,
    constraints: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "name": "flexibleRollout",
        "constraints": constraints or [],
        "parameters": {"rollout": str(rollout), "stickiness": stickiness, "groupId": group},
        "variants": variants or [],
    }


def variant(
    name: str, payload: Any = None, *, kind: str = "json", weight: int = 1000, by: str = "default"
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "weight": weight, "stickiness": by}
    if payload is not None:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        found["payload"] = {"type": kind, "value": text}
    return found


def feature(name: str, *strategies: dict[str, Any], on: bool = True) -> Feature:
    given = list(strategies) or [strategy(group=name)]
    return {"name": name, "type": "release", "enabled": on, "strategies": given}


def model_flag(name: str, rollout: int, model: Any, *, stickiness: str = "default") -> Feature:
    chosen = variant("candidate", model, by=stickiness)
    return feature(name, strategy(rollout, group=name, stickiness=stickiness, variants=[chosen]))


def write_flags(path: Path, *features: Feature) -> Path:
    """Replace a flags file in one step."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"version": 2, "features": list(features)}))
    partial.replace(path)
    return path


def sender(
    subject: str = "key1",
    *scopes: str,
    tenant: str = "acme",
    models: frozenset[str] | None = None,
    session: str | None = None,
) -> Principal:
    identity = Identity(subject, tenant, frozenset(scopes))
    return Principal(identity, (), None, models=models, session_id=session)


class ListSink:
    """Keeps what was recorded."""

    def __init__(self) -> None:
        self.records: list[tuple[FlagEvaluation, FlagContext, Identity, Origin]] = []

    def record(
        self, evaluation: FlagEvaluation, context: FlagContext, sender: Identity, origin: Origin
    ) -> None:
        self.records.append((evaluation, context, sender, origin))


@asynccontextmanager
async def opened(source: FlagSource, metrics: Metrics | None = None) -> AsyncIterator[FlagClient]:
    client = FlagClient(source, ENVIRONMENT, metrics or Metrics("test"))
    await client.open()
    try:
        yield client
    finally:
        await client.close()


def file_source(path: Path, *features: Feature) -> FileProvider:
    return FileProvider(write_flags(path, *features), ENVIRONMENT, interval_s=0.02)
