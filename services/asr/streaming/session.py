"""One stream: bytes in, events out. Knows no framework.

A session needs no memory outside its connection. A final and the position up to which it settles
the audio are one event, and everything that follows is a function of the audio behind that
position; so a session that is resumed there, at whatever replica, goes on as if never cut.
"""

import asyncio
from contextvars import Context

from services.asr.models.audio import seconds
from services.asr.models.request import Status
from services.asr.services.work import Work
from services.asr.streaming.arrivals import Arrivals
from services.asr.streaming.encodings import ENCODINGS
from services.asr.streaming.events import Done, Failed, Partial, Ready, SpeechEnded, SpeechStarted
from services.asr.streaming.interim import Interim
from services.asr.streaming.line import AudioLine
from services.asr.streaming.listener import Begun, Heard, Listener, Spoken
from services.asr.streaming.options import StreamOptions
from services.asr.streaming.outbox import Outbox
from services.asr.streaming.pace import Pace
from services.asr.streaming.parts import Bounds, Parts
from services.asr.streaming.settling import Settling
from shared.audio.contract import Pcm16
from shared.failures import CLIENT_DISCONNECTED
from shared.logging import get_logger
from shared.problem import SpeechgateError
from shared.streams import NORMAL, close_code, shutting_down, stranded, too_long

_logger = get_logger(__name__)
_FLUSH, _STOP = "flush", "stop"
_Item = Pcm16 | str
_MOST_UNHEARD_S = 5.0
_MOST_OPEN_FINALS = 4


class StreamSession:
    """A stream that `StreamService.open` made.

    Attributes:
        outbox: Its events, in order; ends when the session does.
        work: Its row.
        close_code: How a WebSocket closes after the last event.
    """

    def __init__(
        self,
        options: StreamOptions,
        work: Work,
        bounds: Bounds,
        parts: Parts,
        settling: Settling,
        outbox: Outbox,
    ) -> None:
        self.outbox = outbox
        self.work = work
        self.close_code = NORMAL
        self._options = options
        self._bounds = bounds
        self._parts = parts
        self._settling = settling
        self._line = AudioLine(options.rate, options.resume_from)
        self._listener = Listener(self._line, parts.ticker, bounds.rules(options), self._hear)
        self._pace = Pace(bounds.rate_factor, bounds.burst_s)
        self._arrivals = Arrivals()
        self._received = options.resume_from
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._unheard = 0
        self._room = asyncio.Event()
        self._halted = self._complete = self._ending = False
        self._speaking = False
        self._interim: Interim | None = None
        self._fed = 0
        self._endings: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[SpeechgateError] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin: the client is told that audio may come."""
        options, work = self._options, self.work
        self.outbox.put(
            Ready(
                session_id=options.session_id or work.id,
                id=work.id,
                model=work.model,
                language=work.language,
                interim=self._parts.partials is not None,
                samples=options.resume_from,
            )
        )
        # Not in the context of a request: its deadline is not that of the stream.
        self._task = asyncio.create_task(self._run(), name="stream", context=Context())
        # Not in the task: one that is cancelled at once never runs.
        self._task.add_done_callback(self._let_go)

    async def feed(self, data: bytes) -> None:
        """More audio; returns when more may come.

        Raises:
            StreamRefused: `invalid_frame`, `invalid_audio`, or `stream_too_long`.
        """
        samples = ENCODINGS[self._options.encoding](data)
        if not len(samples) or self._done:
            return
        rate = self._options.rate
        self._received += len(samples)
        if self._received > self._bounds.max_s * rate:
            raise too_long(self._bounds.max_s)
        self._arrivals.note(self._received)
        self._unheard += len(samples)
        self._inbox.put_nowait(samples)
        pause = self._pace.take(len(samples) / rate)
        if pause:
            await asyncio.sleep(pause)
        while self._unheard > _MOST_UNHEARD_S * rate and not self._done:
            self._room.clear()
            await self._room.wait()

    def flush(self) -> None:
        """Settle all that came."""
        self._inbox.put_nowait(_FLUSH)

    def stop(self) -> None:
        """Settle all that came, then end."""
        self._inbox.put_nowait(_STOP)

    def fail(self, error: SpeechgateError) -> None:
        """End with an error."""
        if not self._broken.done():
            self._broken.set_result(error)

    def drain(self) -> None:
        """End because the process does, after the finals whose audio has come."""
        self._halted = True
        self._inbox.put_nowait(_STOP)

    async def ended(self) -> None:
        """Return when the session has ended by itself and its row is stored."""
        if self._task is not None:
            # It goes on where its caller is cancelled.
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """The client is gone: end now, down to the model. What was settled is stored."""
        if self._task is not None and not self._ending:
            self._task.cancel()
        await self.ended()

    @property
    def _done(self) -> bool:
        return self._task is not None and self._task.done()

    async def _run(self) -> None:
        status, error = Status.CANCELLED, None
        try:
            error = await self._work_on()
            status = Status.SUCCEEDED if error is None else Status.FAILED
        finally:
            self._ending = True
            await self._clean_up()
            settled = self._settling.position - self._options.resume_from
            self.work.audio_seconds = round(settled / self._options.rate, 3)
            self.work.segments = self._settling.finals
            code = CLIENT_DISCONNECTED if status is Status.CANCELLED else None
            row = self.work.row(status, error.code if error else code)
            brought = self._received - self._options.resume_from
            self._parts.ended(brought / self._options.rate, error.code if error else status.value)
            duration = round(self._settling.position / self._options.rate, 3)
            stored = self._parts.stored(row, self._settling.transcript(duration))
            if status is not Status.CANCELLED:
                await self._say_goodbye(error, stored)

    def _let_go(self, _: asyncio.Task[None]) -> None:
        if not self._ending:
            self._parts.ended(0.0, Status.CANCELLED.value)
        self.outbox.close()
        self._room.set()

    async def _say_goodbye(
        self, error: SpeechgateError | None, stored: "asyncio.Future[None]"
    ) -> None:
        try:
            await stored
        except SpeechgateError as lost:
            error = error or lost
        if error is None:
            duration = round(self._received / self._options.rate, 3)
            usage = {"audio_seconds": self.work.audio_seconds}
            self.outbox.close(Done(duration, usage, self.work.id))
            return
        self.close_code = close_code(error)
        self.outbox.close(Failed(error.code, error.detail))

    async def _work_on(self) -> SpeechgateError | None:
        """Listen and settle until the client stops; the error that ended it otherwise."""
        hearing = asyncio.create_task(self._listen(), name="listen")
        settling = asyncio.create_task(self._settling.run(), name="settle")
        broken = asyncio.create_task(self._until_broken(), name="broken")
        tasks = {hearing, settling, broken}
        try:
            while not settling.done():
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            return None if self._complete else shutting_down()
        except SpeechgateError as error:
            return error
        except Exception as error:
            _logger.error("a stream failed", exc_info=error)
            return stranded(error)
        finally:
            for task in (hearing, settling, broken):
                task.cancel()
            await asyncio.gather(hearing, settling, broken, return_exceptions=True)

    async def _until_broken(self) -> None:
        raise await self._broken

    async def _clean_up(self) -> None:
        self._end_speech()
        await self._settling.close()
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _listen(self) -> None:
        """Take what came, all at once where it is much, and listen to it."""
        while True:
            marker = self._take(await self._inbox.get())
            while marker is None and not self._inbox.empty():
                marker = self._take(self._inbox.get_nowait())
            if self._halted:
                break
            self._feed_interim()
            await self._listener.listen()
            if marker is not None:
                await self._listener.flush()
            await self._settling.room(_MOST_OPEN_FINALS)
            if marker == _STOP:
                self._complete = True
                break
        self._settling.end()

    def _take(self, item: _Item) -> str | None:
        """Add audio to the line; a marker is returned."""
        if isinstance(item, str):
            return item
        self._line.add(item)
        self._unheard -= len(item)
        self._room.set()
        return None

    def _hear(self, heard: Heard) -> None:
        if isinstance(heard, Begun):
            self._speaking = True
            self._parts.precedence.begin()
            self.outbox.put(SpeechStarted(seconds(heard.start)))
            self._begin_interim(heard.start)
            return
        if isinstance(heard, Spoken):
            if not heard.told:
                self.outbox.put(SpeechStarted(seconds(heard.span.start)))
            self._end_speech()
            self.outbox.put(SpeechEnded(seconds(heard.speech_end)))
        self._settling.add(heard)
        self._arrivals.forget(heard.position)

    def _begin_interim(self, start: int) -> None:
        partials, origin = self._parts.partials, self._line.origin
        if partials is None:
            return

        def told(text: str, heard: int) -> None:
            end = start + heard
            arrived = self._arrivals.of(self._line.client_position(end - self._line.origin))
            self.outbox.put(Partial(text, seconds(start), seconds(end), arrived))

        utterance = partials.utterance(self._parts.partial_model, self.work.language)
        self._interim = Interim(utterance, self._options.interim_ms / 1000, told)
        self._fed = start - origin
        self._feed_interim()

    def _feed_interim(self) -> None:
        if self._interim is not None:
            new = self._line.pcm[self._fed :]
            if len(new):
                self._interim.add(new)
                self._fed += len(new)

    def _end_speech(self) -> None:
        if self._speaking:
            self._speaking = False
            self._parts.precedence.end()
        if self._interim is not None:
            self._interim.end()
            task = asyncio.create_task(self._interim.ended())
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)
            self._interim = None
