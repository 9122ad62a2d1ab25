"""Stand-ins for the model and the store, and requests that they understand."""

import asyncio
from collections.abc import Sequence

import numpy as np

from services.tts.models.sound import Pcm16
from services.tts.models.speech import Output, SpeechOrder, SpeechRecord, SpokenItem, Voice
from services.tts.models.voices import ModelFacts
from services.tts.services.run import Run
from shared.audio.encode import OutputFormat
from shared.caller import Caller
from shared.metrics import Metrics

CALLER = Caller("tenant", "key", "request", "trace")
RATE = 22_050
SAMPLES_A_CHARACTER = 10


class Model:
    """Speaks each character as ten samples of its code."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self.error: Exception | None = None
        self.fails_at = ""
        self.hold: asyncio.Event | None = None
        self.silent = False
        self.called = asyncio.Event()
        self.cancelled = 0
        self.busy = 0
        self.holding = 0
        self.busiest = 0
        self.facts = ModelFacts(("en", "hi"), RATE)

    async def describe(self, _: str) -> ModelFacts:
        return self.facts

    async def speak(self, model: str, text: str, **how: object) -> Pcm16:
        self.calls.append({"model": model, "text": text, **how})
        self.called.set()
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            if self.hold:
                self.holding += 1
                await self.hold.wait()
            await asyncio.sleep(0)  # So that others may begin meanwhile.
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.busy -= 1
        if self.error and (not self.fails_at or self.fails_at in text):
            raise self.error
        codes = [ord(character) * 30 for character in text]
        return np.repeat(np.array([] if self.silent else codes, np.int16), SAMPLES_A_CHARACTER)

    def texts(self) -> list[str]:
        return [str(call["text"]) for call in self.calls]


class Repository:
    def __init__(self) -> None:
        self.saved: list[tuple[SpeechRecord, Sequence[SpokenItem]]] = []

    async def add(self, _: Caller, record: SpeechRecord, items: Sequence[SpokenItem] = ()) -> None:
        self.saved.append((record, items))

    async def find(self, *_: str) -> None:
        return None


def run_of(model: Model, **changes: object) -> Run:
    """A request that was understood."""
    members: dict[str, object] = {"voice": Voice("en", "female"), "audio_format": "pcm"}
    order = SpeechOrder(texts=("a",), **(members | changes))  # type: ignore[arg-type] # by name
    return Run(
        CALLER, order, "tts", "default", 1, model.facts, order.voice, Output(OutputFormat.PCM, RATE)
    )


def broken(metrics: Metrics, code: str) -> float:
    name = "speechgate_tts_broken_streams_total"
    return metrics.registry.get_sample_value(name, {"code": code}) or 0.0


def order(*texts: str, **changes: object) -> SpeechOrder:
    members = {"voice": Voice("en", "female"), "audio_format": "pcm", "sampling_rate": 22_050}
    return SpeechOrder(texts=texts, **(members | changes))
