"""The compose file, with the defaults of its variables."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")


def _complete(value: Any) -> Any:
    """With the defaults of its variables."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found[2] or "", value)
    if isinstance(value, list):
        return [_complete(one) for one in value]
    if isinstance(value, dict):
        return {key: _complete(one) for key, one in value.items()}
    return value


COMPOSE = _complete(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def mounts(name: str) -> dict[str, str]:
    """Volume or folder by the path it is mounted at."""
    rows = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    return {row[1]: row[0] for row in rows}
