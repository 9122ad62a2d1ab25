"""Work ends when its client leaves."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import Receive

from shared.asgi.context import CLIENT_LEFT
from shared.problem import SpeechgateError

Result = TypeVar("Result")


class ClientLeft(SpeechgateError):
    """Nobody waits for the answer; the status is only for logs and metrics."""

    status = CLIENT_LEFT
    title = "Client closed request"
    default_code = "client_disconnected"


async def until_disconnect(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled as soon as the client disconnects.

    The body must have been read.

    Raises:
        ClientLeft: The work was cancelled.
    """
    return await until_gone(request.receive, work)


async def until_gone(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """As `until_disconnect`, by what the server tells."""
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientLeft("The client closed the connection.")
    finally:
        task.cancel()
        watcher.cancel()
        await asyncio.gather(task, watcher, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
