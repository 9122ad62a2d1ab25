"""What a session is made of."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.asr.inference.asr_stream_model import AsrStreamModel
from services.asr.models.audio import SAMPLE_RATE
from services.asr.models.request import AsrRequest
from services.asr.models.transcript import Transcript
from services.asr.streaming.endpointer import WINDOW, Rules
from services.asr.streaming.options import StreamOptions
from services.asr.streaming.precedence import Precedence
from services.asr.streaming.ticker import VadTicker


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a stream may take.

    Attributes:
        max_s: Longest session, in seconds of audio.
        rate_factor: Seconds of audio a second, in the long run.
        burst_s: Seconds of audio at once.
        utterance_s: Longest utterance.
    """

    max_s: float
    rate_factor: float
    burst_s: float
    utterance_s: float

    def rules(self, options: StreamOptions) -> Rules:
        """When speech begins and ends."""
        silence = -(-options.silence_ms * SAMPLE_RATE // (1000 * WINDOW))
        return Rules(silence=silence, longest=int(self.utterance_s * SAMPLE_RATE) // WINDOW)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session works with.

    Attributes:
        ticker: Scores windows.
        precedence: Keeps files out of the way while somebody speaks.
        partials: Opens utterances; None where no partials are made.
        partial_model: Which model makes partials.
        stored: Takes the row and the transcript at the end; done when they are durable.
        ended: Is called once, with the seconds of audio that came and how it ended.
    """

    ticker: VadTicker
    precedence: Precedence
    partials: AsrStreamModel | None
    partial_model: str
    stored: Callable[[AsrRequest, Transcript | None], "asyncio.Future[None]"]
    ended: Callable[[float, str], None]
