import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.documents.placeholders import find_placeholders


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_placeholders(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {name}, you have {0} of {}.", ["{name}", "{0}", "{}"]),
        ("Hi {{ user.name | upper }} and {{{raw}}}", ["{{ user.name | upper }}", "{{{raw}}}"]),
        ("{% if x %}yes{% endif %}", ["{% if x %}", "{% endif %}"]),
        ("Pay {amount:>10.2f} or {a!r} or {items[0]}", ["{amount:>10.2f}", "{a!r}", "{items[0]}"]),
        (
            "{n, plural, one {# day} other {# days {x}}} left",
            ["{n, plural, one {# day} other {# days {x}}}"],
        ),
        ("%s has %(count)d of %1$s, %-5.2f, %@ and %%", [
            "%s", "%(count)d", "%1$s", "%-5.2f", "%@", "%%",
        ]),
        ("%dpx and %1 of %L2", ["%dpx"[:2], "%1", "%L2"]),
        ("Set $HOME, ${PATH}, #{x}, %{y} and $t(key)", [
            "$HOME", "${PATH}", "#{x}", "%{y}", "$t(key)",
        ]),
        ("Nice :smile: :+1: at 10:30:45", [":smile:", ":+1:"]),
        (
            "See https://a.example/b?c=1&d={e}. Or (www.example.org/x_(y)), or ftp://f.example!",
            ["https://a.example/b?c=1&d={e}", "www.example.org/x_(y)", "ftp://f.example"],
        ),
        ("Write to ana.b+c@mail.example.org.", ["ana.b+c@mail.example.org"]),
        ("Ask @ana_b about `x = 1` &amp; &#8364;", ["@ana_b", "`x = 1`", "&amp;", "&#8364;"]),
        ("{a}{b} stay together", ["{a}{b}"]),
    ],
)  # fmt: skip
def test_each_kind(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A 100% discount, 50%off, 5 % of it.",
        "It costs $5 or US$10.",
        "{ this is a remark, not a name }",
        "At 10:30 he said: yes; then 3:1.",
        "a@b and @ alone, 100 %",
        "Tom & Jerry; R&D",
        "an { open brace",
    ],
)
def test_prose_has_none(text: str) -> None:
    assert found(text) == []


@given(st.text(st.sampled_from("{}%$:@<&`./ ,a1s(|!h\n"), max_size=300))
def test_spans_are_in_order_and_apart(text: str) -> None:
    spans = find_placeholders(text)
    ends = [0, *(span.end for span in spans)]
    for before, span in zip(ends, spans, strict=False):
        assert before <= span.start < span.end <= len(text)
    for one, other in itertools.pairwise(spans):
        assert one.end < other.start


@pytest.mark.parametrize(
    "part",
    [
        "{",
        "{a,",
        "{{",
        "{a,{b}",
        "%",
        "%(",
        "$",
        ":a",
        "@a",
        "a.",
        "a@",
        "`",
        "&a",
        "http://",
        "{n,{a{b}",
    ],
)
def test_no_pattern_takes_long(part: str) -> None:
    text = part * (300_000 // len(part))
    started = time.process_time()
    find_placeholders(text)
    assert time.process_time() - started < 5
