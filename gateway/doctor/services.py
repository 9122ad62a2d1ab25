"""The replicas of each service, found as the gateway finds them, and Triton as they see it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gateway.doctor.clocks import Clocks
from gateway.doctor.findings import Finding, error, ok, warning
from gateway.models.routes import Service
from gateway.upstream.sources import parse_replicas
from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer
from shared.version import VERSION

_LOOK_UP_TIMEOUT_S, _ASK_TIMEOUT_S = 4.0, 4.0
_MAX_ASKED = 64
SELF = Identity("gateway", "gateway", frozenset())
_UNAUTHORIZED = 401
_OTHERWISE = "Its own log says more."
_MENDS = {
    "triton": "Is Triton up, the SPEECHGATE_TRITON_URL of the service right, and every model that "
    "its settings name loaded?",
    "database": "Results go to the service's spool meanwhile. Check its SPEECHGATE_DATABASE_URL.",
    "decoder": "Its decoders end: is SPEECHGATE_DECODE_MEMORY_BYTES within its memory limit?",
    "models": "A model that some languages need is not loaded: see Triton's log.",
    "speakers": "The model of voices is not loaded: diarization is refused. See Triton's log.",
    "streams": "The models of live recognition are not loaded: see Triton's log.",
    "authentication": "The gateway's database has been down for a minute: bring it back.",
    "redis": "Limits are each gateway's own meanwhile. Bring it back.",
    "flags": "The last known flags stay in use. Check Unleash, or the flags file.",
}


class Replicas:
    """Asks every replica of every service.

    Args:
        clocks: Gets their time.
        issuer: Signs as the gateway does; None where its key cannot be read.
    """

    def __init__(self, clocks: Clocks, issuer: IdentityIssuer | None) -> None:
        self._clocks = clocks
        self._issuer = issuer

    async def check(self, service: Service, where: str) -> Sequence[Finding]:
        """One service.

        Args:
            service: Its name.
            where: The setting that says where its replicas are.
        """
        setting = f"SPEECHGATE_{service.upper()}_URLS"
        if not where.strip():
            mend = f"Set {setting}, unless nobody needs the service."
            return [warning(service, "no source of replicas is set: 503 to its requests", mend)]
        try:
            urls = await _look_up(where)
        except ValueError:
            return [error(service, "this is no source of replicas", f"Correct {setting}.")]
        except Exception as failure:  # noqa: BLE001 - a resolver's, a file's
            says = f"replicas cannot be looked up: {type(failure).__name__}"
            return [error(service, says, f"Check what {setting} names, from this machine.")]
        if not urls:
            mend = f"Start one, or correct {setting}."
            return [error(service, "the source knows no replica", mend)]
        async with httpx.AsyncClient(timeout=_ASK_TIMEOUT_S, trust_env=False) as client:
            asked = urls[:_MAX_ASKED]
            answers = await asyncio.gather(*(self._ask(client, service, url) for url in asked))
        found = [finding for answer in answers for finding in answer]
        well = sum(not answer for answer in answers)
        if well:
            more = "" if len(asked) == len(urls) else f" ({len(urls)} known)"
            found.insert(0, ok(service, f"{well} of {len(asked)} replicas work{more}"))
        return found

    async def _ask(
        self, client: httpx.AsyncClient, service: Service, url: str
    ) -> Sequence[Finding]:
        name = f"{service} {url}"
        found = await ask_health(client, name, url, self._clocks, verifies_tokens=True)
        if found is None:
            mend = "Is it running, and may this machine reach it?"
            return [error(name, "does not answer", mend)]
        if self._issuer is not None and not await self._trusted(client, service, url):
            mend = (
                "Give it the public half of this gateway's SPEECHGATE_IDENTITY_PRIVATE_KEY_FILE as "
                "SPEECHGATE_IDENTITY_PUBLIC_KEY_FILE, and compare the clocks."
            )
            return [*found, error(name, "does not trust this gateway's identity", mend)]
        return found

    async def _trusted(self, client: httpx.AsyncClient, service: Service, url: str) -> bool:
        if self._issuer is None:
            return True
        headers = {IDENTITY_HEADER: self._issuer.issue(SELF, service)}
        try:
            answer = await client.get(f"{url}/openapi.json", headers=headers)
        except httpx.HTTPError:
            return True  # It answered before: something else, which the next run shows.
        return answer.status_code != _UNAUTHORIZED


async def check_gateway(url: str, clocks: Clocks) -> Sequence[Finding]:
    """The gateway itself, where one should run.

    Args:
        url: Base URL.
        clocks: Gets its time.
    """
    async with httpx.AsyncClient(timeout=_ASK_TIMEOUT_S, trust_env=False) as client:
        found = await ask_health(client, "gateway", url, clocks)
    if found is None:
        mend = "Start it, or run this where it runs (same environment)."
        return [warning("gateway", f"none answers at {url}", mend)]
    return found or [ok("gateway", f"answers at {url}")]


async def ask_health(
    client: httpx.AsyncClient,
    name: str,
    url: str,
    clocks: Clocks,
    *,
    verifies_tokens: bool = False,
) -> list[Finding] | None:
    """What a process says of itself: nothing when all is well; None when it says nothing at all."""
    asked_at = time.time()
    try:
        answer = await client.get(f"{url}/health/detailed")
        report = answer.json()
        checks: Mapping[str, Mapping[str, Any]] = report["checks"]
        version = str(report["version"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
    answered_at = time.time()
    # The report's time is that of its end; its checks may have taken a second of the way.
    slowest_s = max((one.get("duration_ms", 0.0) for one in checks.values()), default=0.0) / 1000
    begun_at = min(asked_at + slowest_s, answered_at)
    theirs = _time_of(report, answer)
    if theirs is not None:
        clocks.note(name, theirs, begun_at, answered_at, verifies_tokens=verifies_tokens)
    found = [
        (error if one.get("critical") else warning)(
            name, f"{check}: {one.get('error', 'error')}", _MENDS.get(check, _OTHERWISE)
        )
        for check, one in checks.items()
        if one.get("status") != "ok"
    ]
    if version != VERSION:
        says = f"is release {version}, this command {VERSION}"
        found.append(warning(name, says, "Finish the rollout, unless one is under way."))
    return found


def _time_of(report: Mapping[str, Any], answer: httpx.Response) -> float | None:
    """Of the report, which says milliseconds; of releases before it, the header's seconds."""
    stated = report.get("time")
    if isinstance(stated, int | float):
        return float(stated)
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5
    except (KeyError, ValueError):
        return None


async def _look_up(where: str) -> Sequence[str]:
    source = parse_replicas(where)
    if isinstance(source, tuple):
        return source
    async with asyncio.timeout(_LOOK_UP_TIMEOUT_S):
        return (await source.look_up()).urls
