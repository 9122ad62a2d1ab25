"""A request whose inference failed leaves a trace, whatever the reason."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.logging import get_logger
from shared.problem import SpeechgateError

CLIENT_DISCONNECTED = "client_disconnected"
_logger = get_logger(__name__)


def failure_code(error: BaseException) -> str:
    """The stable code of what went wrong."""
    if isinstance(error, SpeechgateError):
        return error.code
    if isinstance(error, asyncio.CancelledError):
        return CLIENT_DISCONNECTED
    return SpeechgateError.default_code


@asynccontextmanager
async def recording_failure(save: Callable[[str], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `save` with the code of an error that leaves the block, then let the error go on."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        try:
            await save(failure_code(error))
        except SpeechgateError as lost:
            # What the client needs to know is why its request failed.
            _logger.error("failed request not recorded", code=lost.code)
        raise
