"""Notices that a client has left while its request is being answered."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

from gateway.middleware.body import ClientLeft

_AFTER_S = 0.1


class LeaveWatch:
    """Cancels the block when the client closes its connection.

    Most answers are there before it begins to watch: a timer costs a microsecond, a task ten.

    Args:
        receive: The ASGI channel; its body must have been read, or be absent.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._entered: asyncio.Task[object] | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def arm(self) -> None:
        """Begin to watch soon; the request body has ended."""
        if self._timer is None and self._entered is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_AFTER_S, self._start)

    def __enter__(self) -> Self:
        """Remember whom to cancel."""
        self._entered = asyncio.current_task()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop watching; turn our own cancellation into `ClientLeft`."""
        entered, self._entered = self._entered, None
        if self._timer:
            self._timer.cancel()
        if self._task:
            self._task.cancel()
        if self._left and kind is asyncio.CancelledError and entered and entered.uncancel() == 0:
            raise ClientLeft

    def _start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._entered is not None:
            self._left = True
            self._entered.cancel()
