"""The gateway's database and Redis."""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.redis import open_redis
from gateway.db.schema import MIGRATIONS
from gateway.doctor.clocks import Clocks
from gateway.doctor.findings import Finding, error, ok, warning
from gateway.doctor.installation import sqlite_file
from gateway.ratelimit.batch import SCRIPT
from shared.db.engine import READ_ONLY, create_engine
from shared.db.revisions import SchemaState, Standing, schema_state

_REDIS_TIMEOUT_S = 3.0
_OLDEST_REDIS, _OLDEST_POSTGRESQL = (6, 2), 15
_NEARLY_FULL = 0.9
_MIGRATE = "Run `speechgate db migrate`, or the release's migration Job."


async def check_database(url: str, clocks: Clocks) -> Sequence[Finding]:
    """Whether it answers and is migrated.

    Args:
        url: SQLAlchemy's.
        clocks: Gets the server's time.
    """
    file = sqlite_file(url)
    if file is not None and not file.exists():  # Asking would make it.
        return [error("database", f"{file} does not exist", _MIGRATE)]
    try:
        engine = create_engine(url, pool_size=1)
    except Exception:  # noqa: BLE001 - SQLAlchemy's for what is no URL, or of no known kind
        mend = "Write postgresql+asyncpg://user:password@host/database or sqlite+aiosqlite:///file."
        return [error("database", "SPEECHGATE_DATABASE_URL names no database", mend)]
    try:
        try:
            started = time.perf_counter()
            state = await schema_state(engine, MIGRATIONS)
            took_ms = (time.perf_counter() - started) * 1000
        except Exception as failure:  # noqa: BLE001 - whatever a driver raises means no answer
            says = f"no answer: {type(failure).__name__}"
            mend = "Check SPEECHGATE_DATABASE_URL, the server, its password and its pg_hba.conf."
            return [error("database", says, mend)]
        found = [_migrated(state, took_ms)]
        if engine.dialect.name == "postgresql":
            found += await _ask_server(engine, clocks)
        return found
    finally:
        await engine.dispose()


def _migrated(state: SchemaState, took_ms: float) -> Finding:
    if state.standing is Standing.OUTDATED:
        return error("database", str(state), _MIGRATE)
    if state.standing is Standing.NEWER:
        says = f"revision {state.found} is of a later release; this one knows {state.expected}"
        return warning("database", says, "Finish the rollout, or leave it: this release can work.")
    return ok("database", f"at revision {state.found}, answered in {took_ms:.0f} ms")


async def _ask_server(engine: AsyncEngine, clocks: Clocks) -> list[Finding]:
    async with engine.connect() as connection:
        reader = await connection.execution_options(**{READ_ONLY: True})
        asked_at = time.time()
        theirs = await reader.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
        clocks.note("the database", float(theirs or 0), asked_at, time.time())
        version = int(await reader.scalar(text("SHOW server_version_num")) or 0) // 10_000
    if version < _OLDEST_POSTGRESQL:
        says = f"PostgreSQL {version}"
        return [warning("database", says, f"Tests run on {_OLDEST_POSTGRESQL}; update the server.")]
    return []


async def check_redis(url: str, clocks: Clocks) -> Sequence[Finding]:
    """Whether it answers, is new enough, takes the limiter's script and forgets nothing.

    Args:
        url: Empty where limits are kept in the process.
        clocks: Gets the server's time.
    """
    if not url:
        says = "none: limits and cached keys are each gateway's own"
        return [ok("redis", f"{says}, which is right for one gateway alone")]
    client = open_redis(url, timeout_s=_REDIS_TIMEOUT_S)
    try:
        return await _ask_redis(client, clocks)
    except (AuthenticationError, NoPermissionError):
        mend = "Check the user and password in SPEECHGATE_REDIS_URL, and the user's ACL."
        return [error("redis", "the user may not do what the gateway does", mend)]
    except (RedisError, OSError, TimeoutError) as failure:
        says = f"no answer: {type(failure).__name__}"
        mend = (
            "Check SPEECHGATE_REDIS_URL and the server; until then limits are each gateway's own."
        )
        return [error("redis", says, mend)]
    finally:
        await client.aclose()


async def _ask_redis(client: Redis, clocks: Clocks) -> list[Finding]:
    asked_at = time.time()
    seconds, microseconds = await client.time()
    answered_at = time.time()
    clocks.note("Redis", seconds + microseconds / 1e6, asked_at, answered_at)
    info: dict[str, Any] = await client.info()
    version = str(info.get("redis_version", "0"))
    took_ms = (answered_at - asked_at) * 1000
    found = [ok("redis", f"version {version}, answered in {took_ms:.0f} ms")]
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS:
        wanted = ".".join(map(str, _OLDEST_REDIS))
        found.append(error("redis", f"version {version}", f"Update it to {wanted} or newer."))
    if info.get("role") == "slave":
        mend = "Name the primary in SPEECHGATE_REDIS_URL."
        found.append(error("redis", "this is a replica, which takes no writes", mend))
        return found
    return [*found, await _load_script(client), *_memory(info)]


async def _load_script(client: Redis) -> Finding:
    expected = hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest()
    loaded = await client.execute_command("SCRIPT", "LOAD", SCRIPT)  # type: ignore[no-untyped-call]
    named = loaded.decode() if isinstance(loaded, bytes) else str(loaded)
    if named != expected:
        return error("redis script", "another one came back", "Is this a Redis, or a proxy to one?")
    return ok("redis script", "the limiter's is loaded")


def _memory(info: dict[str, Any]) -> list[Finding]:
    """Eviction lets somebody's limits begin anew, and a revocation be missed for a minute."""
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if not most:
        return [ok("redis memory", f"no bound; {used >> 20} MiB in use")]
    if policy != "noeviction":
        mend = "Set maxmemory-policy to noeviction, and watch used_memory."
        says = f"{policy}: when {most >> 20} MiB are full, limits are forgotten"
        return [warning("redis memory", says, mend)]
    if used > _NEARLY_FULL * most:
        says = f"{used >> 20} of {most >> 20} MiB in use"
        return [warning("redis memory", says, "Raise maxmemory: full, it takes no writes.")]
    return [ok("redis memory", f"{used >> 20} of {most >> 20} MiB in use, nothing is evicted")]
