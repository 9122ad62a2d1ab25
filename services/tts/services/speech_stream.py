"""Speech that leaves while the rest of it is made."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from services.tts.models.sound import SpeechPart
from services.tts.services.rendering import Renderer
from services.tts.services.run import Run


class SpeechStream:
    """Speech of which the first bytes are there and the rest is being made.

    Attributes:
        id: Of the stored request.
        used: Which model answers, see `shared.serving`.
        voice: That speaks.
        output: How the audio is written.
        characters: Spoken.
        parts: Of the file, in order; when they end, the request is stored.
    """

    def __init__(self, run: Run, renderer: Renderer, parts: AsyncIterator[SpeechPart]) -> None:
        self.id, self.used, self.characters = run.id, run.used, run.characters
        self.voice, self.output = run.voice, run.output
        self.parts = parts
        self._renderer = renderer

    @property
    def duration_s(self) -> float:
        """Seconds of audio so far."""
        return self._renderer.duration_s


async def chained(
    opening: Sequence[SpeechPart], rest: AsyncIterator[SpeechPart]
) -> AsyncGenerator[SpeechPart, None]:
    """The parts that were waited for, and then the rest."""
    for part in opening:
        yield part
    async for part in rest:
        yield part
