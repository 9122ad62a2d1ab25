import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exceptions import CredentialRefused
from gateway.models.keys import BASE62, generate_key, key_id_of
from gateway.services.hashing import KeyHasher

PEPPER = b"p" * 32


def test_generated_key_has_the_documented_form() -> None:
    key, key_id = generate_key("live")
    prefix, environment, found_id, rest = key.split("_")
    assert (prefix, environment, found_id) == ("sg", "live", key_id)
    assert len(key_id) == 12
    assert len(rest) == 43 + 6
    assert set(key_id + rest) <= set(string.ascii_letters + string.digits)
    assert key_id_of(key) == key_id


def test_checksum_is_the_crc32_of_what_precedes_it() -> None:
    text = "sg_test_" + "0" * 12 + "_" + "0" * 43
    number = zlib.crc32(text.encode())
    digits = ""
    while number:
        digits = BASE62[number % 62] + digits
        number //= 62
    assert key_id_of(text + digits.rjust(6, "0")) == "0" * 12


@given(st.integers(8, 69), st.sampled_from(BASE62))
def test_one_changed_character_is_refused(position: int, other: str) -> None:
    key, _ = generate_key("live")
    if key[position] in {other, "_"}:
        return
    with pytest.raises(CredentialRefused) as caught:
        key_id_of(key[:position] + other + key[position + 1 :])
    assert caught.value.code == "key_malformed"


@pytest.mark.parametrize(
    "text", ["", "x", "sg_live_", "sg_prod_" + "a" * 62, "Bearer", "\u0661" * 70, "a" * 10_000]
)
def test_other_texts_are_malformed(text: str) -> None:
    with pytest.raises(CredentialRefused) as caught:
        key_id_of(text)
    assert (caught.value.status, caught.value.code) == (401, "key_malformed")


def test_trailing_newline_is_not_part_of_a_key() -> None:
    key, _ = generate_key("test")
    with pytest.raises(CredentialRefused):
        key_id_of(key + "\n")


def test_hash_depends_on_pepper_and_version() -> None:
    key, _ = generate_key("live")
    old = KeyHasher({1: PEPPER}, 1)
    rotated = KeyHasher({1: PEPPER, 2: b"q" * 32}, 2)
    assert old.digest(key) != rotated.digest(key)
    assert rotated.matches(key, old.digest(key), 1)
    assert not rotated.matches(key, old.digest(key), 2)
    assert not old.matches(key, rotated.digest(key), 2)  # a pepper this process does not have


def test_missing_key_never_matches() -> None:
    key, _ = generate_key("live")
    assert not KeyHasher({1: PEPPER}, 1).matches(key, None, None)


def test_short_pepper_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        KeyHasher({1: b"short"}, 1)
