"""What a client asks of a stream."""

import math
import re
from dataclasses import dataclass

from services.asr.models.audio import SAMPLE_RATE
from services.asr.streaming.encodings import ENCODINGS
from shared.streams import StreamRefused, invalid_start

RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
SILENCE_MS = (320, 3_000)
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MOST_INTERVAL_MS = 10_000


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """A checked `start`.

    Attributes:
        language: Language tag of the speech.
        rate: Of the client's samples, in Hz.
        encoding: Of the client's samples.
        interim: Whether partials are wanted.
        interim_ms: Least time between two partials.
        silence_ms: Silence that ends an utterance.
        service_id: Which model; None is the default one.
        pre_processors: Names of what runs before recognition.
        post_processors: Names of what runs on a final.
        store_content: Whether transcripts may be stored.
        session_id: Of the session that goes on; None is a new one.
        resume_from: Position of the first sample, in the client's samples.
    """

    language: str = "en"
    rate: int = SAMPLE_RATE
    encoding: str = "pcm_s16le"
    interim: bool = True
    interim_ms: int = 0
    silence_ms: int = 704
    service_id: str | None = None
    pre_processors: tuple[str, ...] = ()
    post_processors: tuple[str, ...] = ()
    store_content: bool = True
    session_id: str | None = None
    resume_from: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be served.

        Raises:
            StreamRefused: With the code of what is wrong.
        """
        if self.rate not in RATES:
            listed = ", ".join(map(str, RATES))
            raise StreamRefused(f"Served sample rates: {listed}.", "unsupported_sample_rate")
        if self.encoding not in ENCODINGS:
            listed = ", ".join(sorted(ENCODINGS))
            raise StreamRefused(f"Served encodings: {listed}.", "unsupported_encoding")
        low, high = SILENCE_MS
        if not low <= self.silence_ms <= high:
            raise invalid_start(f"endpoint_ms is from {low} to {high}.")
        if not 0 <= self.interim_ms <= _MOST_INTERVAL_MS:
            raise invalid_start(f"interim_ms is from 0 to {_MOST_INTERVAL_MS}.")
        if self.session_id is not None and not _SESSION_ID.fullmatch(self.session_id):
            raise StreamRefused("The session_id is none of ours.", "invalid_resume")
        if self.resume_from and self.session_id is None:
            raise StreamRefused("resume_from needs a session_id.", "invalid_resume")
        if self.resume_from < 0 or self.resume_from % self.step:
            raise StreamRefused("resume_from is no position of an ack.", "invalid_resume")

    @property
    def step(self) -> int:
        """Fewest client samples that are a whole number of samples at `SAMPLE_RATE`."""
        return self.rate // math.gcd(self.rate, SAMPLE_RATE)
