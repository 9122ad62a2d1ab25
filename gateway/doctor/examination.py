"""All checks of an installation, side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from gateway.doctor.clocks import Clocks
from gateway.doctor.findings import Check, Finding, on_thread, run_checks
from gateway.doctor.flags import check_flags
from gateway.doctor.installation import Installation, find_installation
from gateway.doctor.machine import check_descriptors, check_folders
from gateway.doctor.secrets import check_secrets
from gateway.doctor.services import SELF, Replicas, check_gateway
from gateway.doctor.stores import check_database, check_redis
from gateway.startup.upstreams import service_urls
from shared.identity import IdentityIssuer

DEFAULT_TIMEOUT_S = 10.0
_KEY_TIMEOUT_S = 2.0


async def examine(run_dir: Path, timeout_s: float = DEFAULT_TIMEOUT_S) -> list[Finding]:
    """What is right and what is wrong with the installation that this machine belongs to.

    Args:
        run_dir: Folder of a local stack, read when the environment names no database.
        timeout_s: Longest time of each check; they run at the same time.
    """
    installation, found = find_installation(run_dir)
    if installation is None:
        return found
    clocks = Clocks()
    issuer = await _issuer(installation)
    found += await run_checks(_checks(installation, issuer, clocks), timeout_s)
    return found + clocks.findings()


def _checks(
    installation: Installation, issuer: IdentityIssuer | None, clocks: Clocks
) -> dict[str, Check]:
    settings = installation.settings
    replicas = Replicas(clocks, issuer)
    checks: dict[str, Check] = {
        "secrets": _aside(partial(check_secrets, settings)),
        "database": lambda: check_database(settings.database_url, clocks),
        "redis": lambda: check_redis(settings.redis_url, clocks),
        "flags": lambda: check_flags(settings),
        "gateway": lambda: check_gateway(installation.gateway_url, clocks),
    }
    for service, where in service_urls(settings).items():
        checks[service] = partial(replicas.check, service, where)
    checks["folders"] = _aside(partial(check_folders, installation.folders))
    checks["file descriptors"] = _aside(partial(check_descriptors, settings))
    return checks


def _aside(check: Callable[[], Sequence[Finding]]) -> Callable[[], Awaitable[Sequence[Finding]]]:
    return lambda: on_thread(check)


async def _issuer(installation: Installation) -> IdentityIssuer | None:
    """What signs as the gateway does; None where its key is of no use, as another check says."""

    def read() -> IdentityIssuer:
        issuer = IdentityIssuer.from_file(installation.settings.identity_private_key_file)
        issuer.issue(SELF, "doctor")
        return issuer

    try:
        async with asyncio.timeout(_KEY_TIMEOUT_S):
            return await on_thread(read)
    except Exception:  # noqa: BLE001 - of the file, of what reads PEM, of what signs
        return None
