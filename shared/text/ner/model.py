"""What is found in a text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar


class EntityKind(StrEnum):
    """The kinds of entities; where two claim one place of equal length, the first has it."""

    EMAIL = "EMAIL"
    URL = "URL"
    MONEY = "MONEY"
    PERCENT = "PERCENT"
    DATE = "DATE"
    TIME = "TIME"
    PHONE = "PHONE"
    ORGANIZATION = "ORGANIZATION"
    PERSON = "PERSON"
    LOCATION = "LOCATION"
    NUMBER = "NUMBER"


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity.

    Attributes:
        kind: What it is.
        start: Index of its first character; `end` is after the last.
        confidence: 0 to 1.
    """

    kind: EntityKind
    start: int
    end: int
    confidence: float


class Place(Protocol):
    """What lies somewhere in a text."""

    @property
    def start(self) -> int:
        """Index of its first character."""

    @property
    def end(self) -> int:
        """Index after its last."""

    @property
    def confidence(self) -> float:
        """0 to 1."""


P = TypeVar("P", bound=Place)


def apart(found: Iterable[P], ranks: Sequence[P] | None = None, *, length: int) -> list[P]:
    """Those that do not overlap, in order: the longest first, then the surest, then the first.

    Args:
        found: In the order in which they are preferred, all else being equal.
        ranks: Taken before any of `found`.
        length: Of the text.
    """
    taken = bytearray(length)
    kept: list[P] = []
    ordered = sorted(found, key=lambda one: (one.start - one.end, -one.confidence, one.start))
    for one in [*(ranks or ()), *ordered]:
        if taken.find(1, one.start, one.end) < 0:
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
