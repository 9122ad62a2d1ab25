"""From a script to sound in order, as it is made."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np

from services.tts.models.script import Mark, Say, Script
from services.tts.models.sound import Pcm16, Sound, TimedMark
from services.tts.services.joining import Silence, Spoken, lay_out, shaped, silent_blocks
from services.tts.services.parts import PartSource
from services.tts.services.run import Run
from services.tts.services.word_times import word_times
from shared.concurrency import map_bounded

_HEAD_S = 0.25
_NO_SOUND = np.zeros(0, np.float32)


class Narrator:
    """Speaks scripts.

    The first part is made alone, for somebody waits for it; then up to `parallel` parts are under
    way or wait for their turn, so that memory is bounded however long the text is.

    Args:
        parts: Speaks parts.
        parallel: Most parts of one script that are ahead of the sound.
    """

    def __init__(self, parts: PartSource, parallel: int) -> None:
        self._parts = parts
        self._parallel = parallel

    async def length_s(self, run: Run, script: Script) -> tuple[float, float]:
        """Seconds of speech and of silence that a script has; its parts are made for it."""

        async def length(say: Say) -> int:
            return len(await self._parts.speak(run, say))

        laid = lay_out(script)
        says = [step.say for step in laid if isinstance(step, Spoken)]
        lengths = await map_bounded(length, says, self._parallel)
        silent_s = sum(step.seconds for step in laid if isinstance(step, Silence))
        return sum(lengths) / run.facts.sampling_rate, silent_s

    async def narrate(
        self, run: Run, script: Script, place: int = 0
    ) -> AsyncGenerator[Sound, None]:
        """The sound of a script in order; close the iterator to stop the work.

        Args:
            run: Whose it is.
            script: What is to be spoken.
            place: Samples that came before it: times count from their beginning.

        Yields:
            Pieces that follow each other without a gap.

        Raises:
            SpeechgateError: Of the part whose turn it is.
        """
        rate = run.facts.sampling_rate
        async with aclosing(_LookAhead(self._parts, run, script, self._parallel)) as ahead:
            for step in lay_out(script):
                now = place / rate
                if isinstance(step, Mark):
                    yield Sound(_NO_SOUND, marks=(TimedMark(step.name, round(now, 3)),))
                elif isinstance(step, Silence):
                    for block in silent_blocks(step.seconds, rate):
                        place += len(block)
                        yield Sound(block)
                else:
                    samples = shaped(await ahead.next_part(), step, rate)
                    words = word_times(step.say, samples, rate, now) if run.order.word_times else ()
                    place += len(samples)
                    head = round(_HEAD_S * rate)
                    yield Sound(samples[:head], words=words)
                    # Only now: the beginning is on its way before the rest takes the processor.
                    ahead.fill()
                    if len(samples) > head:
                        yield Sound(samples[head:])


class _LookAhead:
    """The sounds of a script's parts in order, some of them made ahead of their turn."""

    def __init__(self, parts: PartSource, run: Run, script: Script, parallel: int) -> None:
        self._parts = parts
        self._run = run
        self._says = iter([step for step in script if isinstance(step, Say)])
        self._parallel = parallel
        self._under_way: deque[asyncio.Task[Pcm16]] = deque()

    async def next_part(self) -> Pcm16:
        """The part whose turn it is."""
        if not self._under_way:
            self._start()
        # It stays in the queue until it is done, so that `aclose` finds it.
        part = await self._under_way[0]
        self._under_way.popleft()
        return part

    def fill(self) -> None:
        """Begin as many parts as may be ahead."""
        while len(self._under_way) < self._parallel and self._start():
            pass

    async def aclose(self) -> None:
        """Stop what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _start(self) -> bool:
        say = next(self._says, None)
        if say is not None:
            self._under_way.append(asyncio.create_task(self._parts.speak(self._run, say)))
        return say is not None
