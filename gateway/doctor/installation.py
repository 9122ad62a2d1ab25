"""The gateway's settings as the environment has them, or the folder of a local stack."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError
from pydantic_settings import SettingsError

from gateway.doctor.findings import Finding, error, ok
from gateway.settings import GatewaySettings

_STACK_MEMBERS = (
    *("redis_url", "key_pepper_file", "identity_private_key_file"),
    *("flags_file", "unleash_url", "unleash_token_file"),
)
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
_FOLDERS = ("SPEECHGATE_SPOOL_DIR", "SPEECHGATE_SCRATCH_DIR")
_MEND = "See docs/operations/configuration.md."


@dataclass(frozen=True, slots=True)
class Installation:
    """What is looked at.

    Attributes:
        settings: Of the gateway.
        gateway_url: Where it should answer.
        folders: That are written to on this machine, as far as they are known here.
    """

    settings: GatewaySettings
    gateway_url: str
    folders: tuple[Path, ...]


def find_installation(run_dir: Path) -> tuple[Installation | None, list[Finding]]:
    """The installation, and what is wrong with its settings.

    Args:
        run_dir: Folder of a local stack, read when the environment names no database.
    """
    stack_file = run_dir / "stack.json"
    stack: Mapping[str, Any] = {}
    if "SPEECHGATE_DATABASE_URL" not in os.environ and stack_file.is_file():
        stack = orjson.loads(stack_file.read_bytes())
    try:
        settings = GatewaySettings(**_of_stack(stack))
    except ValidationError as problem:
        return None, [
            # Without the value: it may be a URL with a password.
            error("settings", f"{_variable(one['loc'])}: {one['msg']}", _MEND)
            for one in problem.errors(include_input=False, include_url=False, include_context=False)
        ]
    except SettingsError:
        return None, [error("settings", "one is not the JSON that it should be", _MEND)]
    source = str(stack_file) if stack else "the environment"
    return (
        Installation(settings, _gateway_url(settings, stack), _folders(settings, stack, run_dir)),
        [ok("settings", f"read from {source}")],
    )


def _of_stack(stack: Mapping[str, Any]) -> dict[str, Any]:
    if not stack:
        return {}
    found = {name: stack[name] for name in _STACK_MEMBERS if stack.get(name)}
    found["database_url"] = stack["databases"]["gateway"]
    for service, urls in stack["services"].items():
        found[f"{service}_urls"] = ",".join(urls)
    return found


def _variable(place: tuple[int | str, ...]) -> str:
    return f"SPEECHGATE_{str(place[0]).upper()}" if place else "settings"


def _gateway_url(settings: GatewaySettings, stack: Mapping[str, Any]) -> str:
    if stack:
        return str(stack["gateway_url"])
    host, port = settings.host, settings.port
    if settings.admin_port:
        host, port = settings.admin_host, settings.admin_port
    host = "127.0.0.1" if host in _EVERYWHERE else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _folders(
    settings: GatewaySettings, stack: Mapping[str, Any], run_dir: Path
) -> tuple[Path, ...]:
    """Spools, caches and databases; the services' are known where they share this environment."""
    found = [Path(os.environ[name]) for name in _FOLDERS if os.environ.get(name)]
    if stack:
        found.append(run_dir / "spool")
    if settings.flags_cache_dir is not None:
        found.append(settings.flags_cache_dir)
    file = sqlite_file(settings.database_url)
    if file is not None:
        found.append(file.parent)
    return tuple(dict.fromkeys(found))


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for another database."""
    scheme, separator, path = url.partition(":///")
    return Path(path) if separator and scheme.startswith("sqlite") else None
