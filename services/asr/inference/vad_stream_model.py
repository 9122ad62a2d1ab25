"""The voice activity model of live streams (tensors: AUDIO_PCM, STATE → PROBABILITIES, NEW_STATE).

The state of a stream travels with its windows, so that any instance of the model serves the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.audio.contract import Pcm16
from shared.problem import Unavailable
from shared.triton.client import Array, TritonClient

STATE = 320
"""Numbers that a stream's state has."""
WINDOW = 512
"""Samples at 16 kHz that a probability stands for."""
MAX_WINDOWS = 64
"""Most windows of one stream in a call."""
MAX_STREAMS = 256
"""Most streams in a call."""
State = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pending:
    """Windows of one stream.

    Attributes:
        windows: `[W, 512] int16`, at least one and at most `MAX_WINDOWS`.
        state: What the call before gave; None at the beginning.
    """

    windows: Pcm16
    state: State | None


class VadStreamModel:
    """Scores windows of many streams in one call."""

    def __init__(self, client: TritonClient, model: str, timeout_s: float) -> None:
        self._client = client
        self._model = model
        self._timeout_s = timeout_s

    async def score(self, streams: Sequence[Pending]) -> list[tuple[list[float], State]]:
        """The speech probability of each window and the new state, in the streams' order.

        Raises:
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        counts = np.array([[len(one.windows)] for one in streams], np.int32)
        audio = np.zeros((len(streams), int(counts.max()) * WINDOW), np.int16)
        states = np.zeros((len(streams), STATE), np.float32)
        for row, one in enumerate(streams):
            audio[row, : one.windows.size] = one.windows.reshape(-1)
            if one.state is not None:
                states[row] = one.state
        inputs: dict[str, Array] = {"AUDIO_PCM": audio, "NUM_WINDOWS": counts, "STATE": states}
        found, new = await self._client.infer_many(
            self._model, inputs, ["PROBABILITIES", "NEW_STATE"], timeout_s=self._timeout_s
        )
        if found.shape != (len(streams), audio.shape[1] // WINDOW) or new.shape != states.shape:
            raise Unavailable("The model's answer is malformed.", code="model_unavailable")
        return [
            (found[row, : len(one.windows)].tolist(), new[row]) for row, one in enumerate(streams)
        ]
