"""Kept recordings in both databases: encrypted, bound to their place, bounded, and forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.postgres import PostgresCluster
from services.asr.db.schema import MIGRATIONS
from services.asr.db.tables import asr_recording_chunks as chunks
from services.asr.db.tables import asr_recordings as recordings
from services.asr.models.calls import KeepingRules
from services.asr.repositories.recordings import RecordingRepository
from services.asr.services.call_monitor import RecordingMonitor
from services.asr.services.recordings import RecordingService
from shared.crypto.envelope import DataCorrupted, DataKeyMissing, Vault
from shared.crypto.keyring import KEY_BYTES, KeyRing
from shared.db.base import new_id, utc_now
from shared.db.engine import create_engine
from shared.db.migrations import upgrade
from shared.metrics import Metrics
from shared.problem import SpeechgateError
from tests.support.poll import eventually

OLD, NEW = bytes(KEY_BYTES), bytes(range(KEY_BYTES))
WEEK = KeepingRules(timedelta(days=7), 1 << 20)
PIECES = [bytes([number]) * (100 + number) for number in range(5)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('recordings') / 'asr.db'}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.create_database("speechgate_asr_recordings")
    upgrade(MIGRATIONS, url)
    return url


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    made = create_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
def kept(engine: AsyncEngine) -> RecordingRepository:
    return RecordingRepository(engine, vault("old"))


def vault(*ids: str) -> Vault:
    keys = {"old": OLD, "new": NEW}
    return Vault(KeyRing(ids[0], {key_id: keys[key_id] for key_id in ids}))


async def stored(
    repository: RecordingRepository, tenant: str, rules: KeepingRules = WEEK, size: int = 0
) -> str:
    pieces = PIECES if not size else [bytes(size)]
    recording_id = new_id()
    await repository.add(tenant, recording_id, 16_000 * len(pieces), pieces, rules)
    return recording_id


async def change(engine: AsyncEngine, statement: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)


async def count(engine: AsyncEngine, recording_id: str) -> int:
    query = select(func.count()).where(chunks.c.recording_id == recording_id)
    async with engine.connect() as connection:
        return int(await connection.scalar(query) or 0)


async def refused(work: Any, code: str) -> None:
    with pytest.raises(SpeechgateError) as caught:
        await work
    assert caught.value.code == code


async def test_any_parts_are_read_and_nothing_lies_in_the_clear(
    engine: AsyncEngine, kept: RecordingRepository
) -> None:
    mine = await stored(kept, "spans")
    for first in range(5):
        for last in range(first, 5):
            assert await kept.read("spans", mine, first, last) == PIECES[first : last + 1]
    found = await kept.find("spans", mine)
    assert found is not None
    assert found.samples == 5 * 16_000
    async with engine.connect() as connection:
        query = select(chunks.c.ciphertext).where(chunks.c.recording_id == mine)
        written = [bytes(one) for one in (await connection.execute(query)).scalars()]
    assert found.size == sum(map(len, written))
    assert not any(piece[:8] in one for one in written for piece in PIECES)
    for first, last in ((5, 5), (4, 5)):
        await refused(kept.read("spans", mine, first, last), "recording_not_found")


async def test_another_tenants_recording_is_not_there(kept: RecordingRepository) -> None:
    mine = await stored(kept, "owner")
    assert await kept.find("thief", mine) is None
    await refused(kept.read("thief", mine, 0, 0), "recording_not_found")
    assert not await kept.delete("thief", mine)
    assert await kept.read("owner", mine, 0, 0) == PIECES[:1]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE asr_recording_chunks SET ciphertext = :other WHERE recording_id = :id",
        "UPDATE asr_recordings SET wrapped_key = :key WHERE id = :id",
        "UPDATE asr_recordings SET tenant_id = 'thief' WHERE id = :id",
        # A part that was cut off is missed by the one that is the last now.
        "UPDATE asr_recordings SET chunks = 2 WHERE id = :id",
    ],
)
async def test_what_was_altered_or_moved_does_not_open(
    engine: AsyncEngine, kept: RecordingRepository, damage: str
) -> None:
    mine, other = await stored(kept, "altered"), await stored(kept, "altered")
    async with engine.connect() as connection:
        query = select(chunks.c.ciphertext).where(chunks.c.recording_id == other)
        parts = [bytes(one) for one in (await connection.execute(query)).scalars()]
        key = await connection.scalar(
            select(recordings.c.wrapped_key).where(recordings.c.id == other)
        )
    values = {"other": parts[1], "key": key, "id": mine}
    used = {name: value for name, value in values.items() if f":{name}" in damage}
    await change(engine, damage, **used)
    tenant = "thief" if "thief" in damage else "altered"
    with pytest.raises(DataCorrupted):
        await kept.read(tenant, mine, 1, 1)


async def test_deletion_leaves_nothing(engine: AsyncEngine, kept: RecordingRepository) -> None:
    mine = await stored(kept, "deleted")
    assert await count(engine, mine) == 5
    assert await kept.delete("deleted", mine)
    assert await count(engine, mine) == 0
    assert not await kept.delete("deleted", mine)
    assert await kept.find("deleted", mine) is None


async def test_the_oldest_make_room_within_their_tenant(
    engine: AsyncEngine, kept: RecordingRepository
) -> None:
    rules = KeepingRules(timedelta(days=1), 3_000)
    other = await stored(kept, "roomy", rules, size=900)
    mine = [await stored(kept, "full", rules, size=900) for _ in range(5)]
    left = [one for one in mine if await kept.find("full", one)]
    assert left == mine[-3:]
    assert [await count(engine, one) for one in mine] == [0, 0, 1, 1, 1]
    assert await kept.find("roomy", other)
    await refused(stored(kept, "full", rules, size=3_000), "recording_too_large")
    assert [one for one in mine if await kept.find("full", one)] == left


async def test_what_was_just_stored_stays_although_its_request_began_first(
    kept: RecordingRepository,
) -> None:
    rules = KeepingRules(timedelta(days=1), 2_000)
    early = new_id()
    later = [await stored(kept, "slow", rules, size=900) for _ in range(2)]
    await kept.add("slow", early, 16_000, [bytes(900)], rules)
    left = [one for one in (*later, early) if await kept.find("slow", one)]
    assert left == [later[1], early]


async def test_many_at_once_are_all_kept(kept: RecordingRepository) -> None:
    made = await asyncio.gather(*(stored(kept, "many") for _ in range(12)))
    assert all([await kept.read("many", one, 4, 4) == PIECES[4:] for one in made])


async def test_what_has_expired_is_gone_and_is_deleted(
    engine: AsyncEngine, kept: RecordingRepository, tmp_path: Path
) -> None:
    old, young = await stored(kept, "aged"), await stored(kept, "aged")
    query = recordings.update().where(recordings.c.id == old)
    async with engine.begin() as connection:
        await connection.execute(query.values(expires_at=utc_now() - timedelta(seconds=1)))
    assert await kept.find("aged", old) is None
    await refused(kept.read("aged", old, 0, 0), "recording_not_found")
    assert await count(engine, old) == 5

    intake: Any = tmp_path  # Not asked for anything here.
    service = RecordingService(kept, intake, WEEK, RecordingMonitor(Metrics("test")))
    service.start()

    async def deleted() -> bool:
        return await count(engine, old) == 0

    await eventually(deleted)
    await service.close()
    assert await kept.read("aged", young, 0, 0) == PIECES[:1]


async def test_keys_are_rotated(engine: AsyncEngine, kept: RecordingRepository) -> None:
    await change(engine, "DELETE FROM asr_recordings")  # Some were altered above.
    mine = await stored(kept, "rotated")
    both = RecordingRepository(engine, vault("new", "old"))
    while await both.rewrap(2):
        pass
    after = RecordingRepository(engine, vault("new"))
    assert await after.read("rotated", mine, 0, 4) == PIECES
    with pytest.raises(DataKeyMissing):
        await kept.read("rotated", mine, 0, 0)


async def test_without_a_key_nothing_is_kept_or_read(
    engine: AsyncEngine, kept: RecordingRepository
) -> None:
    mine = await stored(kept, "keyless")
    none = RecordingRepository(engine, None)
    await refused(stored(none, "keyless"), "encryption_unconfigured")
    await refused(none.read("keyless", mine, 0, 0), "encryption_unconfigured")
    # What needs no key goes on.
    assert await none.find("keyless", mine)
    assert await none.delete("keyless", mine)


async def test_where_nothing_shall_be_kept_nothing_is(
    kept: RecordingRepository, tmp_path: Path
) -> None:
    intake: Any = tmp_path
    monitor = RecordingMonitor(Metrics("test"))
    service = RecordingService(kept, intake, KeepingRules(None, 1 << 20), monitor)
    await refused(service.keep("never", new_id(), []), "keeping_disabled")
