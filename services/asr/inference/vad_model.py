"""The voice activity model (tensors: AUDIO_PCM → TIMESTAMPS).

Long audio goes in pieces: the network's state travels with them (STATE → NEW_STATE), and the
PROBABILITIES of all of them together give the timestamps.
"""

import numpy as np
import orjson

from services.asr.models.audio import SAMPLE_RATE, Span, VadOptions
from shared.audio.contract import Samples
from shared.problem import Unavailable
from shared.triton.client import Array, TritonClient

_NO_OPTIONS = VadOptions()
_PIECE = 15 * 512 * 512
"""Samples of a piece (245 s) of long audio: the network then goes on exactly as in the whole."""
_CONTINUED = ("PROBABILITIES", "NEW_STATE")
_MILLISECOND = SAMPLE_RATE // 1000


class VadModel:
    """Finds speech."""

    def __init__(self, client: TritonClient, model: str) -> None:
        self._client = client
        self._model = model

    async def detect(self, pcm: Samples, options: VadOptions = _NO_OPTIONS) -> list[Span]:
        """Where speech is in `[T] int16` at 16 kHz, however long, in order of time.

        Raises:
            InferenceRejected: An option is out of the model's range.
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        tuning = _tuning(options)
        if len(pcm) <= _PIECE:
            return await self._regions({"AUDIO_PCM": pcm[: len(pcm)], **tuning})
        found: list[Array] = []
        state: dict[str, Array] = {}
        for start in range(0, len(pcm), _PIECE):
            part: dict[str, Array] = {"AUDIO_PCM": pcm[start : start + _PIECE], **state}
            probabilities, after = await self._client.infer_many(self._model, part, _CONTINUED)
            found.append(probabilities.reshape(-1))
            state = {"STATE": after.reshape(-1)}
        regions = await self._regions({"PROBABILITIES": np.concatenate(found), **tuning})
        # The last step of the network is as long as the others, the audio perhaps not.
        end = len(pcm) // _MILLISECOND * _MILLISECOND
        return [Span(one.start, min(one.end, end)) for one in regions]

    async def _regions(self, inputs: dict[str, Array]) -> list[Span]:
        output = await self._client.infer(self._model, inputs, "TIMESTAMPS")
        return parse_timestamps(output.flat[0])


def _tuning(options: VadOptions) -> dict[str, Array]:
    """The options that are set, as tensors."""
    tensors: dict[str, Array] = {}
    if options.threshold is not None:
        tensors["THRESHOLD"] = np.array([options.threshold], np.float32)
    for name, value in (
        ("MIN_SILENCE_DURATION_MS", options.min_silence_ms),
        ("SPEECH_PAD_MS", options.speech_pad_ms),
        ("MIN_SPEECH_DURATION_MS", options.min_speech_ms),
    ):
        if value is not None:
            tensors[name] = np.array([value], np.int32)
    return tensors


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
