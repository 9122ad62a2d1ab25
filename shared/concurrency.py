"""Work in parallel within bounds."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from shared.problem import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


async def map_bounded(
    function: Callable[[Item], Awaitable[Result]], items: Sequence[Item], limit: int
) -> list[Result]:
    """`function` of every item, at most `limit` at a time, results in the order of the items.

    The first failure cancels the rest and is raised as it is, without a group around it.
    """
    if len(items) == 1:
        return [await function(items[0])]
    results: dict[int, Result] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for index, item in waiting:
            results[index] = await function(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(limit, len(items))):
                group.create_task(work())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [results[index] for index in range(len(items))]


class Bulkhead:
    """Bounds what is in progress at once in this process; beyond it, requests are refused.

    Args:
        limit: Most cost in progress. A single request is admitted whatever its cost.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    @contextmanager
    def admit(self, cost: int) -> Iterator[None]:
        """Hold `cost` while the block runs.

        Raises:
            Unavailable: Code `overloaded`.
        """
        if self._used and self._used + cost > self._limit:
            raise Unavailable("Too much work is in progress.", code="overloaded")
        self._used += cost
        try:
            yield
        finally:
            self._used -= cost
