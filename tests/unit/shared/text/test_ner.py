"""Named entities: how well they are found, and what holds for any text."""

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text.ner.find import find_entities
from shared.text.ner.model import EntityKind
from shared.text.ner.people import GIVEN_NAMES, SURNAMES
from shared.text.ner.places import PLACES
from shared.text.ner.tags import iob_tags
from shared.text.wordlists import word_set
from tests.support.effort import LINEAR, growth, least_seconds
from tests.support.hard_texts import PARTS, hard_text, mixed_text

LINES = Path(__file__).with_name("ner_cases.txt").read_text().splitlines()
MARKED = re.compile(r"\[([^|\]]+)\|([^\]]+)\]")
# Precision and recall that are promised: of the sentences the rules were made with, and of others.
LEAST = {"seen": (0.95, 0.95), "held out": (0.9, 0.88)}
Marked = set[tuple[int, int, str]]


def parsed(line: str) -> tuple[str, Marked]:
    """A sentence and its entities. `-PERSON` stands for a name behind a title, `-X` for none."""
    text, marks, end = "", set(), 0
    for found in MARKED.finditer(line):
        text += line[end : found.start()]
        start, words, kind = len(text), found[1], found[2]
        if kind.startswith("-"):
            kind = kind.removeprefix("-")
            skipped = re.match(r"(?:Dr\. |Mr\. |President |Professor |Queen |The )?", words)
            start += len(skipped.group()) if skipped else 0
        text += words
        if kind != "X":
            marks.add((start, len(text), kind))
        end = found.end()
    return text + line[end:], marks


def sentences(part: str) -> list[tuple[str, Marked]]:
    found, current = [], ""
    for line in LINES:
        if line.startswith("# ---"):
            current = line.removeprefix("# --- ").partition(":")[0]
        elif not line.startswith("#") and current == part:
            found.append(parsed(line))
    return found


def entities(text: str) -> Marked:
    found = find_entities(text)
    return {(one.start, one.end, one.kind.value) for one in found if one.kind != EntityKind.NUMBER}


@pytest.mark.parametrize("part", LEAST)
def test_precision_and_recall(part: str) -> None:
    cases = sentences(part)
    assert len(cases) >= 40
    lines: list[str] = []
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for text, expected in cases:
        found = entities(text)
        right.update(kind for *_, kind in found & expected)
        wrong.update(kind for *_, kind in found - expected)
        missed.update(kind for *_, kind in expected - found)
        for start, end, kind in sorted(found ^ expected):
            side = "missed" if (start, end, kind) in expected else "wrong"
            lines.append(f"{side} {kind} {text[start:end]}")
    for kind in sorted({*right, *wrong, *missed}):
        counts = f"right {right[kind]:3} wrong {wrong[kind]:3} missed {missed[kind]:3}"
        lines.append(f"{kind:13} {counts}")
    precision = right.total() / (right.total() + wrong.total())
    recall = right.total() / (right.total() + missed.total())
    lines.append(f"{part}: precision {precision:.3f} recall {recall:.3f}")
    print("\n".join(lines))  # noqa: T201 - the figures are what this test is for
    assert precision >= LEAST[part][0]
    assert recall >= LEAST[part][1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At 3 p.m. on Friday", ["TIME 3 p.m.", "DATE Friday"]),
        ("Rs. 500 and 20 lakh rupees", ["MONEY Rs. 500", "MONEY 20 lakh rupees"]),
        ("version 2.5 of 1,000 items", ["NUMBER 2.5", "NUMBER 1,000"]),
        ("13/13/2024 is no day", []),
        ("mail a.b+c@d-e.co.uk.", ["EMAIL a.b+c@d-e.co.uk"]),
        ("(see https://a.example/b?c=d).", ["URL https://a.example/b?c=d"]),
        ("Priya Raghunathan left. Raghunathan is back.",
         ["PERSON Priya Raghunathan", "PERSON Raghunathan"]),
        ("José Álvarez", ["PERSON José Álvarez"]),
        ("१२ मार्च ५०%", ["NUMBER १२", "PERCENT ५०%"]),
        ("call me at (415) 555-2671", ["PHONE (415) 555-2671"]),
        ("", []),
        ("…!?", []),
    ],
)  # fmt: skip
def test_table(text: str, expected: list[str]) -> None:
    found = find_entities(text)
    assert [f"{one.kind} {text[one.start : one.end]}" for one in found] == expected


def test_tags_are_iob2_over_all_tokens() -> None:
    text = "John Smith paid $5 in New York."
    tags = [(text[start:end], tag) for start, end, tag in iob_tags(text, find_entities(text))]
    assert tags == [
        ("John", "B-PER"),
        ("Smith", "I-PER"),
        ("paid", "O"),
        ("$", "B-MONEY"),
        ("5", "I-MONEY"),
        ("in", "O"),
        ("New", "B-LOC"),
        ("York", "I-LOC"),
        (".", "O"),
    ]


WORDS = [
    *sorted(GIVEN_NAMES)[::40],
    *(name.title() for name in sorted(SURNAMES)[::40]),
    *(name.title() for name in sorted(PLACES)[::40]),
    *word_set("Mr. my name is at in of the Inc. & University Bank said one twenty double oh p m"),
    *word_set("dollars a@b.co @ .. http://x 5% $5 12/3/24 +1 555-2671 ) ( John's"),
    *("\u200b", "\uff14", "\u096b", "\n"),
]
TEXTS = st.lists(st.sampled_from(sorted(WORDS)), max_size=30).map(" ".join) | st.text(max_size=80)


@settings(max_examples=70, deadline=None)
@given(TEXTS)
def test_spans_lie_inside_in_order_and_apart(text: str) -> None:
    end = 0
    for one in find_entities(text):
        assert end <= one.start < one.end <= len(text)
        assert text[one.start : one.end].strip() == text[one.start : one.end]
        assert 0.5 <= one.confidence <= 1
        end = one.end
    assert find_entities(text) == find_entities(text)


@pytest.mark.parametrize("kind", PARTS)
def test_linear(kind: str) -> None:
    assert growth(lambda length: find_entities(hard_text(kind, length)), 1_000) < LINEAR


def test_a_hundred_thousand_hard_characters() -> None:
    text = mixed_text(100_000)
    assert least_seconds(lambda: find_entities(text), 10) < 10
