"""One piece of work for all who want its result at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


class SingleFlight(Generic[Key, Result]):
    """Runs work once for each key at a time."""

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[Result]] = {}

    async def run(self, key: Key, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of the work that is under way for a key, or else of `make`."""
        # Shielded: one who leaves must not cancel the others' work.
        return await asyncio.shield(self.start(key, make))

    def start(
        self, key: Key, make: Callable[[], Coroutine[Any, Any, Result]]
    ) -> "asyncio.Task[Result]":
        """As `run`, for who need not wait."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(make())
            task.add_done_callback(lambda _: self._end(key))
        return task

    def _end(self, key: Key) -> None:
        task = self._tasks.pop(key)
        if not task.cancelled():
            task.exception()  # Nobody may have waited for it.

    async def close(self) -> None:
        """Cancel what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
