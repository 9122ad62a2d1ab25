"""What Redis remembers of keys, and how a revocation reaches every process.

    speechgate:key:<HMAC of the key>     JSON of a `KeyRecord`, or nothing for an unknown key
    speechgate:key:revoked:<key id>      tombstone: no read of this id enters the cache again
    speechgate:revoked                   pub/sub channel of revoked or changed key ids; `*` is many

A reader that asked the database before a revocation may want to store its answer after it. The
tombstone outlives every cached entry, so the script refuses that answer; it also makes an entry
that is still there count as absent. After a mere change the tombstone only outlives such readers.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
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
_CHANGED_S = 5
"""Longer than a lookup in the database may take."""
_MANY = "*"
_BATCH = 200
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
# A tombstone that is there already is a revocation's, or as young as this one.
_FORGET = """
redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[1])
redis.call('DEL', KEYS[1])
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
        if not encoded:
            return Found(None)
        record = KeyRecord.decode(encoded)
        return None if record is None else Found(record)

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

    async def announce(self, changed: Sequence[tuple[str, str]]) -> None:
        """Let keys be read from the database again; call it after the change was committed.

        Args:
            changed: Fingerprints and ids.
        """
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]

            async def write(client: Redis, batch: Sequence[tuple[str, str]] = batch) -> Any:
                async with client.pipeline(transaction=False) as pipeline:
                    for fingerprint, key_id in batch:
                        keys = _entry(fingerprint), _tombstone(key_id)
                        pipeline.eval(_FORGET, 2, *keys, _CHANGED_S)
                    return await pipeline.execute()

            await self._link.run(_USE, write)

        if changed:
            await self.publish(changed[0][1] if len(changed) == 1 else _MANY)

    async def publish(self, holder: str) -> None:
        """Tell every gateway that a sender has changed: a key's id, or `user:<id>`."""

        async def write(client: Redis) -> Any:
            return await client.publish(CHANNEL, holder)

        await self._link.run(_USE, write)


async def revocations(url: str) -> AsyncIterator[str | None]:
    """Ids of revoked or changed keys as they are published, for ever.

    Yields:
        A key id; None for many keys, and after each (re)connection, when ids may have been missed.
    """
    while True:
        client = open_redis(url, timeout_s=None)
        subscription = client.pubsub(ignore_subscribe_messages=True)
        try:
            await subscription.subscribe(CHANNEL)
            yield None
            async for message in subscription.listen():
                key_id = message["data"].decode()
                yield None if key_id == _MANY else key_id
        except (RedisError, OSError) as error:
            _logger.warning("revocations cannot be heard", error=type(error).__name__)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await subscription.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()
        await asyncio.sleep(0.5)
