"""The voice activity model (tensors: AUDIO_PCM → TIMESTAMPS)."""

import orjson

from services.asr.models.audio import SAMPLE_RATE, Span
from shared.audio.contract import Pcm16
from shared.problem import Unavailable
from shared.triton.client import TritonClient


class VadModel:
    """Finds speech."""

    def __init__(self, client: TritonClient, model: str) -> None:
        self._client = client
        self._model = model

    async def detect(self, pcm: Pcm16) -> list[Span]:
        """Where speech is in `[T] int16` at 16 kHz, in order of time.

        Raises:
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        output = await self._client.infer(self._model, {"AUDIO_PCM": pcm}, "TIMESTAMPS")
        return parse_timestamps(output.flat[0])


def parse_timestamps(document: bytes) -> list[Span]:
    """The model's answer, `[{"start", "end"}]` in seconds, in samples.

    Raises:
        Unavailable: It is something else.
    """
    try:
        return sorted(
            (
                Span(
                    round(float(found["start"]) * SAMPLE_RATE),
                    round(float(found["end"]) * SAMPLE_RATE),
                )
                for found in orjson.loads(document)
            ),
            key=lambda span: span.start,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Unavailable("The model's answer is malformed.", code="model_unavailable") from error
