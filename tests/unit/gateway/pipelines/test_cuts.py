import base64
import contextlib
import os
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.services.pipelines.cuts import MAX_STRINGS, MIN_BYTES, Cuts
from shared.problem import BadRequest, PayloadTooLarge, SpeechgateError
from tests.support.effort import least_seconds

REST = 64 * 1024
AUDIO = base64.b64encode(os.urandom(300_000)).decode()


def through(body: bytes, max_rest: int = REST) -> Any:
    cuts = Cuts()
    return orjson.loads(b"".join(cuts.fill(cuts.parse(body, max_rest))))


def test_audio_is_put_aside_and_back_as_it_came() -> None:
    cuts = Cuts()
    document = {"a": [{"audioContent": AUDIO}, {"audioContent": AUDIO[::-1]}], "b": {"c": "short"}}
    parsed = cuts.parse(orjson.dumps(document), REST)
    assert len(orjson.dumps(parsed)) < 300
    assert parsed["b"] == {"c": "short"}
    parts = cuts.fill({"moved": parsed["a"]})
    assert AUDIO.encode() in parts, "the same bytes, in a part of their own"
    assert orjson.loads(b"".join(parts)) == {"moved": document["a"]}


def test_escapes_in_a_long_string_survive() -> None:
    """PHP writes a slash as `\\/`; a text may end with a backslash, and hold quotes."""
    long = "a" * MIN_BYTES
    slashes = ('{"a":"' + AUDIO.replace("/", "\\/") + '"}').encode()
    assert through(slashes) == {"a": AUDIO}
    for text in (long + '"', long + "\\", long + '\\"', '"' + long, "\u00e9\U0001f600" + long):
        assert through(orjson.dumps({"a": text, "b": 1})) == {"a": text, "b": 1}


_texts = st.text() | st.text(min_size=1).map(lambda text: text * MIN_BYTES)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=5), _values, max_size=4))
def test_any_document_survives(document: dict[str, Any]) -> None:
    body = orjson.dumps(document)
    assert through(body, len(body)) == document


def test_a_mark_cannot_be_forged() -> None:
    cuts = Cuts()
    body = orjson.dumps({"a": AUDIO, "b": f"{Cuts()._token}:0;"})
    found = cuts.parse(body, REST)
    assert orjson.loads(b"".join(cuts.fill(found["b"]))) == orjson.loads(body)["b"]


def test_the_rest_is_bounded() -> None:
    body = orjson.dumps({"a": AUDIO, "b": ["c" * 1000] * 100})
    with pytest.raises(PayloadTooLarge):
        Cuts().parse(body, REST)
    assert through(body, 2 * REST)["a"] == AUDIO


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"' + b"x" * 5_000,
        b'{"a":"' + b"x" * 5_000 + b"\\",
        b'{"a":"' + b"x" * 5_000 + b'"',
        b'{"a":"' + b"x" * 5_000 + b'" "b"}',
        b'{"a":1,"a":"' + b"x" * 5_000 + b'"}',
        b'["' + b"x" * 5_000 + b'"]',
        b"[" * 10_000,
        b'{"a":' * 5_000,
        b'{"a":NaN,"b":"' + b"x" * 5_000 + b'"}',
        b" " * 10_000,
    ],
)
def test_what_is_no_strict_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        Cuts().parse(body, REST)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":["' + b'","' * 5_000_000 + b'"]}',
        b'{"a":"' + b'\\"' * 8_000_000 + b'"}',
        b'{"a":"' + b"\\" * 16_000_000 + b'"}',
        b"[" * 16_000_000,
        b'{"a":"' + b"x" * 16_000_000,
        (b'{"' + b"k" * 5_000 + b'":1,') * 3_000 + b"}",
    ],
    ids=["strings", "quotes", "backslashes", "brackets", "open", "keys"],
)
def test_hostile_bodies_cost_little(body: bytes) -> None:
    def parse() -> None:
        with contextlib.suppress(SpeechgateError):
            Cuts().parse(body, 1024 * 1024)

    assert least_seconds(parse, 0.2) < 0.2, "a refusal takes at most 200 ms"


def test_too_many_strings() -> None:
    body = orjson.dumps({"a": [""] * (MAX_STRINGS + 1)})
    with pytest.raises(BadRequest) as refused:
        Cuts().parse(body, len(body))
    assert refused.value.code == "json_too_complex"


def test_an_answer_is_not_bounded() -> None:
    document = {"audio": [{"audioContent": AUDIO}], "texts": ["x" * 100] * 30_000}
    cuts = Cuts()
    parsed = cuts.parse_answer(orjson.dumps(document))
    assert len(parsed["audio"][0]["audioContent"]) < 50
    assert orjson.loads(b"".join(cuts.fill(parsed))) == document
