"""One live request: text in, audio out. Knows no framework."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from contextvars import Context

from services.tts.models.script import Pause, Say, Script
from services.tts.models.sound import Sound, SpeechPart
from services.tts.models.speech import SpeechOrder, SpokenItem
from services.tts.services.joining import pause_after
from services.tts.services.outputs import media_type
from services.tts.services.rendering import Renderer, render_end, render_more, rendering
from services.tts.services.run import Run
from services.tts.services.runs import Runs
from services.tts.streaming.events import Audio, Done, Failed, Flushed, Ready
from services.tts.streaming.inbox import TextInbox
from services.tts.streaming.limits import LiveLimits
from services.tts.streaming.outbox import Outbox
from shared.caller import Caller
from shared.failures import CLIENT_DISCONNECTED
from shared.logging import get_logger
from shared.problem import SpeechgateError
from shared.streams import (
    NORMAL,
    close_code,
    shutting_down,
    stranded,
    too_long,
)
from shared.text.problems import EmptyText

_logger = get_logger(__name__)
_JOINT = (Pause(0.0),)


class LiveSession:
    """A live request that `LiveService.open` made.

    Args:
        order: What was asked, without a text.
        caller: Who asks.
        runs: Begins and stores the request.
        limits: What it may take.
        ended: Called at the end with how it ended.
        apart: Whether each passage is a file of its own, rather than a part of one.

    Attributes:
        inbox: Its text.
        outbox: Its events, in order; ends when the session does.
        close_code: How a WebSocket closes after the last event.
    """

    def __init__(
        self,
        order: SpeechOrder,
        caller: Caller,
        runs: Runs,
        limits: LiveLimits,
        ended: Callable[[str], None],
        *,
        apart: bool,
    ) -> None:
        self.inbox = TextInbox(runs.limits.bounds, limits)
        self.outbox = Outbox()
        self.close_code = NORMAL
        self._order = order
        self._caller = caller
        self._runs = runs
        self._limits = limits
        self._ended = ended
        self._apart = apart
        self._place = 0
        self._said: list[str] = []
        self._digest = hashlib.sha256()
        self._size = 0
        self._duration_s = 0.0
        self._halted = False
        self._error: SpeechgateError | None = None
        self._broken = asyncio.Event()
        self._status = CLIENT_DISCONNECTED
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin: the client is told when text may come."""
        # Not in the context of a request: its deadline is not that of the stream.
        self._task = asyncio.create_task(self._run(), name="live-speech", context=Context())
        # Not in the task: one that is cancelled at once never runs.
        self._task.add_done_callback(self._end)

    def fail(self, error: SpeechgateError) -> None:
        """End with an error, now."""
        self._error = self._error or error
        self._broken.set()

    def drain(self) -> None:
        """End because the process does, when all that came is spoken."""
        if not self.inbox.stopped:
            self._halted = True
            self.inbox.stop()

    async def ended(self) -> None:
        """Return when the session has ended by itself, or by `fail`."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def close(self) -> None:
        """The client is gone: end now, down to the model."""
        if self._task is not None:
            self._task.cancel()
        await self.ended()

    async def _run(self) -> None:
        last = await self._work_on()
        # Before the last event is told: who reads it may end this task.
        if isinstance(last, SpeechgateError):
            self._status, self.close_code = last.code, close_code(last)
            self.outbox.close(Failed(last.code, last.detail))
        else:
            self._status = "succeeded"
            self.outbox.close(last)

    def _end(self, _: asyncio.Task[None]) -> None:
        self.inbox.close()
        self.outbox.close()
        self._ended(self._status)

    async def _work_on(self) -> Done | SpeechgateError:
        """Speak until the client stops; the last event, or the error that ended it."""
        speaking = asyncio.create_task(self._speak())
        broken = asyncio.create_task(self._broken.wait())
        try:
            await asyncio.wait(
                {speaking, broken},
                timeout=self._limits.longest_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not speaking.done():
                # Before the work is stopped: it is the reason that is stored.
                self._error = self._error or too_long(self._limits.longest_s)
                return self._error
            return speaking.result()
        except SpeechgateError as error:
            return error
        except Exception as error:
            _logger.error("a stream failed", exc_info=error)
            return stranded(error)
        finally:
            speaking.cancel()
            broken.cancel()
            await asyncio.gather(speaking, broken, return_exceptions=True)

    async def _speak(self) -> Done:
        async with self._runs.begin_live(self._caller, self._order, self._reason) as run:
            output = run.output
            await self.outbox.put(
                Ready(
                    id=run.id,
                    model=run.model,
                    language=run.voice.language,
                    voice=run.voice.name,
                    gender=run.voice.gender,
                    format=output.audio_format.value,
                    sample_rate=output.sampling_rate,
                    media_type=media_type(output),
                )
            )
            with ExitStack() as stack:
                file = None if self._apart else stack.enter_context(self._new_file(run))
                async with aclosing(self.inbox.texts()) as texts:
                    async for text, flushed in texts:
                        await self._say(run, file, text, flushed=flushed)
                if self._halted:
                    raise shutting_down()
                if file is not None and self._place:  # Not every format has empty files.
                    await self._end_file(run, file)
            return await self._finish(run)

    def _reason(self) -> str | None:
        return None if self._error is None else self._error.code

    async def _say(self, run: Run, file: Renderer | None, text: str, *, flushed: bool) -> None:
        spoken = False
        if text.strip():
            with self._runs.admit(len(text)):
                spoken = await self._say_text(run, file, text, flushed=flushed)
        if flushed and (file is not None or not spoken):
            await self.outbox.put(Flushed(run.characters, self._duration(file)))

    async def _say_text(self, run: Run, file: Renderer | None, text: str, *, flushed: bool) -> bool:
        """Speak a text; whether there was something to speak."""
        try:
            script = await self._runs.script(run, text)
        except EmptyText:
            return False
        says = [step for step in script if isinstance(step, Say)]
        if run.order.kept:
            self._said += [say.source for say in says if say.source]
        if file is not None:
            # The pause at its end, and the joint at its beginning, fade it in and out.
            joint = _JOINT if self._place else ()
            await self._sound(run, file, (*joint, *script, Pause(pause_after(says[-1]))))
            return True
        for say in says:
            with self._new_file(run) as own:
                await self._sound(run, own, (say, Pause(pause_after(say))))
                await self._end_file(run, own, final=flushed and say is says[-1])
        return True

    async def _sound(self, run: Run, file: Renderer, script: Script) -> None:
        engine = self._runs.engine
        async with (
            aclosing(engine.narrator.narrate(run, script, self._place)) as sounds,
            aclosing(self._counted(sounds)) as counted,
            aclosing(render_more(counted, file, engine.workers)) as parts,
        ):
            async for part in parts:
                await self._tell(run, part)

    async def _counted(self, sounds: AsyncIterator[Sound]) -> AsyncGenerator[Sound, None]:
        async for sound in sounds:
            self._place += len(sound.samples)
            yield sound

    async def _tell(
        self, run: Run, part: SpeechPart, seconds: float = 0.0, *, final: bool = False
    ) -> None:
        self._digest.update(part.content)
        self._size += len(part.content)
        if part.content or part.marks or part.words:
            await self.outbox.put(Audio(part.content, seconds, final, part.marks, part.words))
            run.begun = True

    def _new_file(self, run: Run) -> AbstractContextManager[Renderer]:
        workers = self._runs.engine.workers
        return rendering(run.facts.sampling_rate, run.output, workers, whole=self._apart)

    async def _end_file(self, run: Run, file: Renderer, *, final: bool = False) -> None:
        rest = await render_end(file, self._runs.engine.workers)
        self._duration_s = round(self._duration_s + file.duration_s, 3)
        await self._tell(run, rest, file.duration_s, final=final)

    def _duration(self, file: Renderer | None) -> float:
        return self._duration_s if file is None else file.duration_s

    async def _finish(self, run: Run) -> Done:
        text, digest = " ".join(self._said), self._digest.hexdigest()
        item = SpokenItem(text, "", self._duration_s, self._size, digest)
        await self._runs.finish(run, [item], timed=False)
        return Done(run.id, self._duration_s, {"characters": run.characters})
