"""From the model's samples to the bytes of a file.

`Renderer` works in worker threads, a block at a time; `render` is its side on the event loop.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import aclosing, contextmanager
from threading import Lock

from services.tts.models.sound import Samples, Sound, SpeechPart
from services.tts.models.speech import Output
from shared.audio.encode_stream import open_encoder
from shared.audio.resample_stream import StreamResampler

# The first blocks are short, for somebody waits for their bytes; later ones save calls.
_FIRST_BLOCK_S, _LONGEST_BLOCK_S = 0.25, 4.0


class Renderer:
    """Resamples and encodes one file; make it by `rendering`.

    Args:
        source_rate: Of the samples, in Hz.
        output: How the file is written.
        whole: Give the file at the end, see `open_encoder`.

    Attributes:
        source_rate: Of the samples, in Hz.
        digest: SHA-256 of what was given.
        worked_s: Seconds that it has worked.
    """

    def __init__(self, source_rate: int, output: Output, *, whole: bool) -> None:
        self.source_rate = source_rate
        self._rate = output.sampling_rate
        self._resampler = StreamResampler(source_rate, output.sampling_rate)
        self._encoder = open_encoder(output.audio_format, output.sampling_rate, whole=whole)
        self._samples = 0
        # Who gives up does not wait for a block that is in work.
        self._lock = Lock()
        self.digest = hashlib.sha256()
        self.worked_s = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds of sound so far."""
        return round(self._samples / self._rate, 3)

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._encoder.size

    def feed(self, samples: Samples) -> bytes:
        """Take `[n] float32`; what is ready of the file."""
        with self._lock:
            started = time.perf_counter()
            return self._given(self._encode(self._resampler.feed(samples)), started)

    def finish(self) -> bytes:
        """The rest of the file."""
        with self._lock:
            started = time.perf_counter()
            last = self._encode(self._resampler.finish())
            return self._given(last + self._encoder.finish(), started)

    def close(self) -> None:
        """Give back what the encoder holds; nothing may follow."""
        with self._lock:
            self._encoder.close()

    def _encode(self, samples: Samples) -> bytes:
        self._samples += len(samples)
        return self._encoder.feed(samples) if len(samples) else b""

    def _given(self, content: bytes, started: float) -> bytes:
        self.digest.update(content)
        self.worked_s += time.perf_counter() - started
        return content


@contextmanager
def rendering(
    source_rate: int, output: Output, workers: Executor, *, whole: bool
) -> Iterator[Renderer]:
    """A renderer that is closed when the block ends; see `Renderer`."""
    renderer = Renderer(source_rate, output, whole=whole)
    try:
        yield renderer
    finally:
        workers.submit(renderer.close)


async def render(
    sounds: AsyncIterator[Sound], renderer: Renderer, workers: Executor
) -> AsyncGenerator[SpeechPart, None]:
    """The parts of a file as its sounds come, to its end; see `render_more`."""
    async with aclosing(render_more(sounds, renderer, workers)) as parts:
        async for part in parts:
            yield part
    yield await render_end(renderer, workers)


async def render_end(renderer: Renderer, workers: Executor) -> SpeechPart:
    """The last part of a file."""
    rest = await asyncio.get_running_loop().run_in_executor(workers, renderer.finish)
    return SpeechPart(rest)


async def render_more(
    sounds: AsyncIterator[Sound], renderer: Renderer, workers: Executor
) -> AsyncGenerator[SpeechPart, None]:
    """Parts of a file as sounds come. More sounds may follow.

    A part may be empty: who bounds the file looks at its size after each, also where its bytes all
    come at the end.

    Args:
        sounds: In order.
        renderer: Of the file.
        workers: Where it works.
    """
    loop = asyncio.get_running_loop()
    length_s = _FIRST_BLOCK_S
    async for sound in sounds:
        marks, words = sound.marks, sound.words
        start = 0
        while start < len(sound.samples):
            end = start + round(length_s * renderer.source_rate)
            block = sound.samples[start:end]
            content = await loop.run_in_executor(workers, renderer.feed, block)
            yield SpeechPart(content, marks, words)
            marks, words = (), ()
            start, length_s = end, min(2 * length_s, _LONGEST_BLOCK_S)
        if marks or words:
            yield SpeechPart(b"", marks, words)
