"""Lists by page: newest first, from where the last page ended."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.models.accounts import Page
from shared.problem import InvalidField

Item = TypeVar("Item")
_ID = re.compile(r"[0-9a-f]{32}")


def bad_cursor() -> InvalidField:
    """The refusal of a cursor that no page of this list gave."""
    return InvalidField("This is no cursor of this list.", pointer="/cursor", code="bad_cursor")


def id_cursor(cursor: str) -> str:
    """The id that a cursor names, in a list that is ordered by id.

    Raises:
        InvalidField: Code `bad_cursor`.
    """
    if not _ID.fullmatch(cursor):
        raise bad_cursor()
    return cursor


def make_page(items: Sequence[Item], limit: int, cursor_of: Callable[[Item], str]) -> Page[Item]:
    """A page of what was read with a limit of one more."""
    page = tuple(items[:limit])
    return Page(page, cursor_of(page[-1]) if len(items) > limit else None)
