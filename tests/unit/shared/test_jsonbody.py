import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jsonbody import MAX_CONTAINERS, MAX_DEPTH, MAX_VALUES, parse_json_object
from shared.problem import BadRequest

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), values))
def test_reads_what_the_standard_library_writes(document: dict[str, object]) -> None:
    for ascii_only in (True, False):
        body = json.dumps(document, ensure_ascii=ascii_only).encode()
        assert parse_json_object(body) == document


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b" \r\n\t", "empty_body"),
        (b"{", "invalid_json"),
        (b'{"a": ', "invalid_json"),
        (b'{"a": "b', "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": Infinity}', "invalid_json"),
        (b'{"a": -Infinity}', "invalid_json"),
        (b'{"a": "\\ud800"}', "invalid_json"),
        (b'{"a": "\xff"}', "invalid_json"),
        (b"[1]", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b'{"a": 1, "a": 1}', "duplicate_member"),
        (b'{"x": [{"a": 1, "\\u0061": 2}]}', "duplicate_member"),
        (b'{"a":' + b"[" * 100_000, "json_too_deep"),
        (b'{"a":' * 100_000, "json_too_deep"),
        (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "json_too_deep"),
        (b'{"a":[' + b"[]," * (MAX_CONTAINERS + 1) + b"1]}", "json_too_complex"),
        (b'{"a":[' + b"1," * MAX_VALUES + b"1]}", "json_too_complex"),
    ],
)
def test_refuses(body: bytes, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_json_object(body)
    assert caught.value.code == code
    assert 400 <= caught.value.status < 500


def test_brackets_colons_and_commas_inside_strings_do_not_count() -> None:
    text = '[{"' * 200 + ":" * 10 + "," * MAX_VALUES + "\\"
    assert parse_json_object(json.dumps({"a": text}).encode()) == {"a": text}


def test_depth_just_inside_the_bound_is_read() -> None:
    depth = MAX_DEPTH - 1
    body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    assert "a" in parse_json_object(body)
