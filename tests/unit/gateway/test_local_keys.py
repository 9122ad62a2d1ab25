from dataclasses import replace

from gateway.models.keys import KeyLimits
from gateway.models.limits import make_policy
from gateway.models.principal import KeyRecord, Principal
from gateway.repositories.local_keys import LocalKeys, Remembered


def record(key_id: str = "k") -> KeyRecord:
    return KeyRecord(
        key_id, "t", ("asr:infer",), KeyLimits(1, None, 3), None, revoked=False, verified_at=12.5
    )


def put(local: LocalKeys, digest: bytes, at: float, key_id: str = "k") -> None:
    local.put(digest, Remembered(record(key_id), None, at, key_id), at)


def test_fresh_for_two_seconds_then_only_stale() -> None:
    local = LocalKeys()
    put(local, b"f", 100.0)
    assert local.fresh(b"f", 101.9) is not None
    assert local.fresh(b"f", 102.0) is None
    assert local.stale(b"f") is not None


def test_a_read_older_than_the_invalidation_stays_out() -> None:
    local = LocalKeys()
    put(local, b"f", 100.0)
    local.invalidate("k", 101.0)
    assert local.stale(b"f") is None
    put(local, b"f", 100.9)
    assert local.stale(b"f") is None
    put(local, b"f", 101.1)
    assert local.fresh(b"f", 101.2) is not None


def test_after_missed_invalidations_nothing_is_fresh_but_an_outage_can_be_bridged() -> None:
    local = LocalKeys()
    put(local, b"f", 100.0)
    local.expire_all(100.5)
    assert local.fresh(b"f", 100.6) is None
    assert local.stale(b"f") is not None
    put(local, b"g", 100.4)
    assert local.stale(b"g") is None


def test_a_sender_stays_the_same_object_until_something_of_it_changes() -> None:
    local, policy = LocalKeys(), make_policy(1, 2, 3)

    def learn(known: KeyRecord, at: float) -> Principal | None:
        local.put(b"f", Remembered(known, known.principal(policy), at, "k"), at)
        found = local.fresh(b"f", at)
        return None if found is None else found.principal

    first = learn(record(), 100.0)
    assert first is not None
    assert learn(replace(record(), verified_at=99.0), 101.0) is first
    assert learn(replace(record(), scopes=("nlp:read",)), 102.0) is not first


def test_the_number_of_entries_is_bounded() -> None:
    local = LocalKeys(max_entries=3)
    for number in range(10):
        put(local, bytes([number]), 100.0)
    assert [local.stale(bytes([number])) is not None for number in range(6, 10)] == [
        False,
        True,
        True,
        True,
    ]


def test_a_record_survives_its_encoding() -> None:
    assert KeyRecord.decode(record().encode()) == record()
