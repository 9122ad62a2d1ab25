"""From the texts of an order to scripts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor

from services.tts.models.script import Script
from services.tts.models.speech import SpeechOrder
from services.tts.services.scripting import write_script
from shared.caller import Caller

Lexicons = Callable[[Caller, str], Awaitable[Mapping[str, str]]]
"""How words are spoken for a sender, in a language."""
_INLINE_CHARACTERS = 500
"""Longer texts are written in a worker thread: they would hold up the event loop."""


class ScriptWriter:
    """Says how texts are spoken.

    Args:
        limit: Longest part, in characters.
        workers: Where long texts are worked on.
        lexicons: Words that are spoken in another way than they are written.
    """

    def __init__(self, limit: int, workers: Executor, lexicons: Lexicons) -> None:
        self._limit = limit
        self._workers = workers
        self._lexicons = lexicons

    async def write(self, caller: Caller, order: SpeechOrder, language: str) -> tuple[Script, ...]:
        """A script for each text.

        Raises:
            SpeechgateError: A text holds nothing that can be spoken, or something that is refused.
        """
        lexicon = await self._lexicons(caller, language)

        def write_all() -> tuple[Script, ...]:
            return tuple(
                write_script(
                    text,
                    markup=order.markup,
                    language=language,
                    limit=self._limit,
                    lexicon=lexicon,
                    pointer=f"/input/{index}/source",
                )
                for index, text in enumerate(order.texts)
            )

        if sum(map(len, order.texts)) <= _INLINE_CHARACTERS:
            return write_all()
        return await asyncio.get_running_loop().run_in_executor(self._workers, write_all)


async def no_lexicon(_: Caller, __: str) -> Mapping[str, str]:
    """Every word as it is written."""
    return {}
