"""Regular expressions that every Python 3.11 reads alike."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("gateway", "services", "shared", "triton_models")
    for path in (ROOT / folder).rglob("*.py")
)
# Debian 12's 3.11.2, among others, loses where a group began that is repeated possessively. Of a
# set of characters, or of one of them, it does not.
_SET = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_POSSESSIVE_GROUP = re.compile(r"r[bf]?\".*(?<!\\)\)(?:[*+?]|\{+\d*,?\d*\}+)\+")


def test_no_group_is_repeated_possessively() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _POSSESSIVE_GROUP.search(_SET.sub("[]", line))
    ]
    assert found == []
    assert len(SOURCES) > 300


@pytest.mark.parametrize("pattern", ['r"(?:a|b)*+"', 'rf"(x){{0,2}}+"', 'r"(a)++"', 'r"(a)?+"'])
def test_such_a_group_is_found(pattern: str) -> None:
    assert _POSSESSIVE_GROUP.search(f"_WORD = re.compile({pattern})")
