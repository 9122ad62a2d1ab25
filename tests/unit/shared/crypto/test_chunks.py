"""Objects encrypted part by part: nothing opens anywhere but where it was sealed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto.chunks import MAX_CHUNK_BYTES, ChunkCipher
from shared.crypto.envelope import DataCorrupted, DataKeyMissing, Place, Sealed, Vault
from shared.crypto.keyring import KEY_BYTES, KeyRing

PLACE = Place("tenant", "recording", "1", "audio")
VAULT = Vault(KeyRing("k", {"k": bytes(range(KEY_BYTES))}))
_, KEY = VAULT.new_key(PLACE)
CIPHER = ChunkCipher(KEY, PLACE)

contents = st.binary(max_size=200)
numbers = st.integers(min_value=0, max_value=1 << 20)


@given(contents, numbers, st.booleans())
def test_a_part_opens_at_its_place(content: bytes, index: int, final: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    sealed = CIPHER.seal(index, content, final=final)
    assert content == CIPHER.open(index, sealed, final=final)
    assert content == b"" or content not in sealed or len(content) < 4


@given(contents, numbers, numbers, st.booleans(), st.booleans())
def test_and_nowhere_else(content: bytes, index: int, other: int, final: bool, last: bool) -> None:  # noqa: FBT001 - likewise
    sealed = CIPHER.seal(index, content, final=final)
    if (index, final) != (other, last):
        with pytest.raises(DataCorrupted):
            CIPHER.open(other, sealed, final=last)


@given(contents, st.data())
def test_an_altered_part_does_not_open(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(0, content, final=True))
    place = data.draw(st.integers(min_value=0, max_value=len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    with pytest.raises(DataCorrupted):
        CIPHER.open(0, bytes(sealed), final=True)


@pytest.mark.parametrize(
    "place",
    [
        Place("other", "recording", "1", "audio"),
        Place("tenant", "recording", "2", "audio"),
        Place("tenant", "speaker", "1", "audio"),
    ],
)
def test_a_part_of_another_object_does_not_open(place: Place) -> None:
    sealed = CIPHER.seal(0, b"content", final=True)
    with pytest.raises(DataCorrupted):
        ChunkCipher(KEY, place).open(0, sealed, final=True)


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(11), bytes(12), bytes(27)])
def test_what_is_no_part_does_not_open(sealed: bytes) -> None:
    with pytest.raises(DataCorrupted):
        CIPHER.open(0, sealed, final=True)


def test_a_part_has_a_bound() -> None:
    assert CIPHER.seal(0, bytes(MAX_CHUNK_BYTES), final=True)
    with pytest.raises(ValueError, match="too long"):
        CIPHER.seal(0, bytes(MAX_CHUNK_BYTES + 1), final=True)


def test_a_key_is_wrapped_for_its_object_and_rotated() -> None:
    kept, key = VAULT.new_key(PLACE)
    assert key not in kept.wrapped_key
    assert VAULT.open_key(kept, PLACE) == key
    with pytest.raises(DataCorrupted):
        VAULT.open_key(kept, Place("other", "recording", "1", "audio"))
    with pytest.raises(DataKeyMissing):
        VAULT.open_key(Sealed("gone", kept.wrapped_key, b""), PLACE)
    newer = Vault(KeyRing("n", {"n": bytes(KEY_BYTES), "k": bytes(range(KEY_BYTES))}))
    again = newer.rewrap(kept, PLACE)
    assert (again.key_id, newer.open_key(again, PLACE)) == ("n", key)
