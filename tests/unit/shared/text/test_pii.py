"""Personal data: a table of what is found and what is not, and what holds for any text."""

import random
import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text.folding import fold
from shared.text.pii.checksums import iban, luhn, verhoeff
from shared.text.pii.find import find_pii
from shared.text.pii.model import Action, PiiKind, Policy
from shared.text.pii.redact import pseudonym, redact
from shared.text.tokens import tokenize
from shared.text.wordlists import word_set
from tests.support.effort import LINEAR, growth, least_seconds
from tests.support.hard_texts import PARTS, hard_text, mixed_text

_chance = random.Random(5)
_LETTERS = string.ascii_letters + string.digits


def _letters(count: int) -> str:
    return "".join(_chance.choices(_LETTERS, k=count))


SECRETS = {
    "aws": "AKIA" + "".join(_chance.choices(string.ascii_uppercase, k=16)),
    "github": "ghp_" + _letters(36),
    "stripe": "sk_" + "live_" + _letters(24),
    "openai": "sk-" + _letters(40),
    "jwt": f"eyJ{_letters(20)}.eyJ{_letters(40)}.{_letters(43)}",
    "random": "aB3" + _letters(40) + "Zq9x7K",
}
MARKED = re.compile(r"\[((?:[^|\[\]]|\[\w+\])+)\|([A-Z_]+)\]")
LINES = [
    line
    for line in Path(__file__).with_name("pii_cases.txt").read_text().splitlines()
    if line and line[0] != "#"
]


def parsed(line: str) -> tuple[str, list[tuple[str, str]]]:
    """A text and its personal data, kind and words."""
    for name, secret in SECRETS.items():
        line = line.replace(f"{{{name}}}", f"[{secret}|SECRET]")
    found = [(mark[2], mark[1]) for mark in MARKED.finditer(line)]
    return MARKED.sub(lambda mark: mark[1], line), found


def test_the_table_is_long_enough() -> None:
    cases = [parsed(line) for line in LINES]
    assert len(cases) >= 140
    assert sum(not expected for _, expected in cases) >= 40
    assert {kind for _, expected in cases for kind, _ in expected} == {*PiiKind}


@pytest.mark.parametrize("line", LINES)
def test_table(line: str) -> None:
    text, expected = parsed(line)
    found = find_pii(text)
    assert [(one.kind.value, text[one.start : one.end]) for one in found] == expected


@pytest.mark.parametrize("line", LINES)
def test_nothing_that_was_found_is_left(line: str) -> None:
    text, expected = parsed(line)
    redacted = redact(text, Policy())
    left = re.sub(r"\[[A-Z_]+\]", " ", redacted.text)
    for _, words in expected:
        assert words not in left
    for one in redacted.replacements:
        assert redacted.text[one.start : one.end] == f"[{one.finding.kind}]"
    assert find_pii(redacted.text) == []


def test_policy() -> None:
    text = "John Smith, card 4111 1111 1111 1111, mail a@b.co, 192.168.0.1"
    policy = Policy(
        Action.LABEL,
        {PiiKind.CREDIT_CARD: Action.MASK, PiiKind.EMAIL: Action.HASH, PiiKind.PERSON: Action.KEEP},
        key=b"k",
    )
    redacted = redact(text, policy)
    assert re.fullmatch(
        r"John Smith, card \*{4} \*{4} \*{4} \*{4}, mail \[EMAIL:[0-9a-f]{16}\], \[IP_ADDRESS\]",
        redacted.text,
    )
    assert [one.action for one in redacted.replacements] == ["keep", "mask", "hash", "label"]


def test_a_hash_depends_on_the_value_and_the_key_alone() -> None:
    written = find_pii("card 4111 1111 1111 1111")[0]
    spoken = find_pii("card four one one one one one one one one one one one one one one one")[0]
    other = find_pii("card 5555 5555 5555 4444")[0]
    assert pseudonym(written, b"a") == pseudonym(spoken, b"a")
    assert pseudonym(written, b"a") != pseudonym(other, b"a")
    assert pseudonym(written, b"a") != pseudonym(written, b"b")


def test_nothing_shows_a_value() -> None:
    found = find_pii("write to john.doe@example.com")
    assert "john" not in repr(found)
    assert "secret-salt" not in repr(Policy(key=b"secret-salt"))


def test_less_sure_findings_when_asked_for() -> None:
    text = "the number 9876543210 is printed there"
    assert [one.kind for one in find_pii(text, least=0.5)] == ["PHONE"]
    assert find_pii(text, least=0.6) == []


def test_check_digits() -> None:
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")
    assert verhoeff("234123412346")
    assert verhoeff("2363")
    assert not verhoeff("234123412347")
    assert iban("GB82WEST12345698765432")
    assert not iban("GB83WEST12345698765432")


@settings(deadline=None)
@given(st.text("0123456789", min_size=8, max_size=18), st.integers(0, 9))
def test_each_wrong_digit_is_noticed(digits: str, place: int) -> None:
    for check in (luhn, verhoeff):
        [right] = [digits + one for one in "0123456789" if check(digits + one)]
        at = place % len(digits)
        for other in set("0123456789") - {right[at]}:
            assert not check(right[:at] + other + right[at + 1 :])


PIECES = [
    *(parsed(line)[0] for line in LINES[::3]),
    *word_set("my name is one two three double oh at dot com gmail 4111 1111 @ + - . ( ) / :"),
    *word_set("born pin 12 Street Road Mr. DE89 3704 0044 0532 0130 00 password= ://"),
    *("\u200b", "\uff14", "\u00e9", "e\u0301", "\n"),
]
TEXTS = st.lists(st.sampled_from(sorted(PIECES)), max_size=12).map(" ".join) | st.text(max_size=80)


@settings(max_examples=70, deadline=None)
@given(TEXTS)
def test_spans_lie_inside_in_order_and_apart(text: str) -> None:
    found = find_pii(text)
    end = 0
    for one in found:
        assert end <= one.start < one.end <= len(text)
        assert 0.5 <= one.confidence <= 1
        assert one.value
        end = one.end
    redacted = redact(text, Policy())
    assert [one.finding for one in redacted.replacements] == found


@settings(max_examples=70, deadline=None)
@given(TEXTS)
def test_what_is_kept_holds_no_value(text: str) -> None:
    """Neither in the same words, nor across a place where something was taken out."""
    redacted = redact(text, Policy())
    kept, end = [], 0
    for one in redacted.replacements:
        kept.append(redacted.text[end : one.start])
        end = one.end
    kept.append(redacted.text[end:])
    rest = [[token.lower for token in tokenize(fold(part).text)] for part in kept]
    folded = fold(text)
    places = [(token.lower, folded.span(token.start, token.end)) for token in tokenize(folded.text)]
    for one in redacted.replacements:
        start, end = one.finding.start, one.finding.end
        words = [word for word, place in places if start <= place[0] and place[1] <= end]
        if one.finding.kind is PiiKind.PERSON or not sum(map(len, words)) > 3 or len(words) > 8:
            continue
        for part in rest:
            length = len(words)
            assert all(part[at : at + length] != words for at in range(len(part) - length + 1))


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_mask_keeps_the_layout(text: str) -> None:
    masked = redact(text, Policy(Action.MASK)).text
    assert len(masked) == len(text)
    assert redact(text, Policy(Action.KEEP)).text == text


@pytest.mark.parametrize("kind", PARTS)
def test_linear(kind: str) -> None:
    assert growth(lambda length: find_pii(hard_text(kind, length)), 1_000) < LINEAR


def test_a_hundred_thousand_hard_characters() -> None:
    text = mixed_text(100_000)
    assert least_seconds(lambda: find_pii(text), 10) < 10
