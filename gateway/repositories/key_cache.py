"""What Redis remembers of keys, and how a revocation reaches every process.

    speechgate:key:<HMAC of the key>     JSON of a `KeyRecord`, or nothing for an unknown key
    speechgate:key:revoked:<key id>      tombstone: no read of this id enters the cache again
    speechgate:revoked                   pub/sub channel of revoked key ids

A reader that asked the database before a revocation may want to store its answer after it. The
tombstone outlives every cached entry, so the script refuses that answer; it also makes an entry
that is still there count as absent.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.db.redis import RedisLink, open_redis
from gateway.models.principal import KeyRecord
from shared.logging import get_logger

_logger = get_logger(__name__)

CHANNEL = "speechgate:revoked"
TTL_S, JITTER_S, NEGATIVE_TTL_S = 300.0, 30.0, 10.0
_TOMBSTONE_S = int(TTL_S + JITTER_S) + 60
_USE = "keys"
_PUT = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_INVALIDATE = """
redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""


def _entry(fingerprint: str) -> str:
    return f"speechgate:key:{fingerprint}"


def _tombstone(key_id: str) -> str:
    return f"speechgate:key:revoked:{key_id}"


@dataclass(frozen=True, slots=True)
class Found:
    """A cached answer; `record` is None for a key that is known not to exist."""

    record: KeyRecord | None


class RedisKeyCache:
    """Shared between gateways.

    Every method raises `RedisUnavailable` when Redis does not answer.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def get(self, fingerprint: str, key_id: str) -> Found | None:
        """What is cached, unless the key was revoked."""

        async def read(client: Redis) -> Any:
            return await client.mget(_entry(fingerprint), _tombstone(key_id))

        encoded, revoked = await self._link.run(_USE, read)
        if encoded is None or revoked is not None:
            return None
        return Found(KeyRecord.decode(encoded) if encoded else None)

    async def put(self, fingerprint: str, key_id: str, record: KeyRecord | None) -> None:
        """Remember an answer of the database, unless the key was revoked meanwhile."""
        # Jitter keeps keys that were first used together from expiring together.
        jitter = random.uniform(-JITTER_S, JITTER_S)  # noqa: S311 - no secret
        seconds = TTL_S + jitter if record else NEGATIVE_TTL_S
        value = record.encode() if record else b""

        async def write(client: Redis) -> Any:
            return await client.eval(
                _PUT, 2, _entry(fingerprint), _tombstone(key_id), value, int(seconds * 1000)
            )

        await self._link.run(_USE, write)

    async def invalidate(self, fingerprint: str, key_id: str) -> None:
        """Forget a key everywhere; call it after the revocation was committed."""

        async def write(client: Redis) -> Any:
            return await client.eval(
                _INVALIDATE,
                2,
                _entry(fingerprint),
                _tombstone(key_id),
                _TOMBSTONE_S,
                CHANNEL,
                key_id,
            )

        await self._link.run(_USE, write)


async def revocations(url: str) -> AsyncIterator[str | None]:
    """Ids of revoked keys as they are published, for ever.

    Yields:
        A key id; None after each (re)connection, when ids may have been missed.
    """
    while True:
        client = open_redis(url, timeout_s=None)
        subscription = client.pubsub(ignore_subscribe_messages=True)
        try:
            await subscription.subscribe(CHANNEL)
            yield None
            async for message in subscription.listen():
                yield message["data"].decode()
        except (RedisError, OSError) as error:
            _logger.warning("revocations cannot be heard", error=type(error).__name__)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await subscription.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()
        await asyncio.sleep(0.5)
