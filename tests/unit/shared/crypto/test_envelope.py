import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crypto.envelope import DataCorrupted, DataKeyMissing, Place, Sealed, Vault
from shared.crypto.keyring import KeyRing, new_key_line, read_key_ring

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLACE = Place("tenant", "prototype", "0123", "voice")
VALUE = b"what nobody else may read"


def vault(*ids: str) -> Vault:
    keys = {"old": OLD, "new": NEW}
    return Vault(KeyRing(ids[0], {key_id: keys[key_id] for key_id in ids}))


def test_what_is_sealed_opens_at_its_place_only() -> None:
    sealed = vault("old").seal(VALUE, PLACE)

    assert vault("old").open(sealed, PLACE) == VALUE
    assert VALUE not in sealed.ciphertext
    for member in ("tenant", "kind", "id", "field"):
        elsewhere = replace(PLACE, **{member: "other"})
        with pytest.raises(DataCorrupted):
            vault("old").open(sealed, elsewhere)


def test_two_objects_share_neither_key_nor_nonce() -> None:
    one, other = (vault("old").seal(VALUE, PLACE) for _ in range(2))

    assert one.ciphertext[:12] != other.ciphertext[:12]
    assert one.wrapped_key[:12] != other.wrapped_key[:12]
    # Even at one place, one's key opens nothing of the other.
    with pytest.raises(DataCorrupted):
        vault("old").open(replace(one, ciphertext=other.ciphertext), PLACE)
    with pytest.raises(DataCorrupted):
        vault("old").open(replace(one, wrapped_key=other.wrapped_key), PLACE)


@given(st.data())
def test_any_altered_bit_is_noticed(data: st.DataObject) -> None:
    sealed = vault("old").seal(VALUE, PLACE)
    name = data.draw(st.sampled_from(["wrapped_key", "ciphertext"]))
    content = bytearray(getattr(sealed, name))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8

    with pytest.raises(DataCorrupted):
        vault("old").open(replace(sealed, **{name: bytes(content)}), PLACE)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_cut_off_ciphertext_is_noticed(length: int) -> None:
    sealed = vault("old").seal(VALUE, PLACE)
    with pytest.raises(DataCorrupted):
        vault("old").open(replace(sealed, ciphertext=sealed.ciphertext[:length]), PLACE)


def test_rotation() -> None:
    sealed = vault("old").seal(VALUE, PLACE)
    both = vault("new", "old")

    assert both.open(sealed, PLACE) == VALUE
    moved = both.rewrap(sealed, PLACE)

    assert moved.key_id == "new"
    assert moved.ciphertext == sealed.ciphertext
    assert vault("new").open(moved, PLACE) == VALUE
    with pytest.raises(DataKeyMissing) as missing:
        vault("new").open(sealed, PLACE)
    assert (missing.value.status, missing.value.code) == (500, "data_key_missing")


def test_another_key_of_the_same_id_opens_nothing() -> None:
    sealed = vault("old").seal(VALUE, PLACE)
    with pytest.raises(DataCorrupted) as refused:
        Vault(KeyRing("old", {"old": NEW})).open(sealed, PLACE)
    assert (refused.value.status, refused.value.code) == (500, "data_corrupted")


@given(st.lists(st.text(), min_size=4, max_size=4), st.lists(st.text(), min_size=4, max_size=4))
def test_no_two_places_are_bound_alike(one: list[str], other: list[str]) -> None:
    same = Place(*one).associated() == Place(*other).associated()
    assert same == (one == other)


def test_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# newest first\n{new_key_line('2026')}\n{new_key_line('2025')}")

    ring = read_key_ring(path)

    assert (ring.current, sorted(ring.keys)) == ("2026", ["2025", "2026"])
    assert ring.keys["2025"] != ring.keys["2026"]
    assert "2026" in repr(ring)
    assert repr(ring.keys["2026"]) not in repr(ring)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing\n",
        "k1\n",
        "k1 c2hvcnQ=\n",
        "k1 not-base64!\n",
        f"a/b {base64.b64encode(OLD).decode()}\n",
        f"k1 {base64.b64encode(OLD).decode()}\n" * 2,
    ],
)
def test_a_bad_key_file_is_refused_without_quoting_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(ValueError, match="keys: ") as refused:
        read_key_ring(path)
    assert base64.b64encode(OLD).decode() not in str(refused.value)


def test_a_sealed_value_does_not_show_itself() -> None:
    assert repr(Sealed("k", b"wrapped", b"cipher")) == "Sealed(key_id='k')"
