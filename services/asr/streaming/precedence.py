"""Live speech goes before files: while somebody speaks, files leave one instance of the model."""

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager


class Precedence:
    """Counts utterances from their first word to their final.

    Args:
        spared: Keeps one instance free of files while it is entered.
    """

    def __init__(self, spared: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        self._spared = spared
        self._open = 0
        self._holding: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """An utterance begins."""
        self._open += 1
        if self._holding is None:
            self._holding = asyncio.create_task(self._hold())

    def end(self) -> None:
        """It has its final, or never will."""
        self._open -= 1
        if not self._open and self._holding is not None:
            self._holding.cancel()
            self._holding = None

    async def _hold(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            async with self._spared():
                await asyncio.Event().wait()
