"""The speaker model (tensors: AUDIO_PCM [B, T] → EMBEDDING [B, 256])."""

import numpy as np

from services.asr.models.speakers import Embedding
from shared.audio.contract import Pcm16
from shared.problem import Unavailable
from shared.triton.client import TritonClient

MAX_BATCH = 64
_MATRIX = 2


class SpeakerModel:
    """Makes vectors of voices."""

    def __init__(self, client: TritonClient, model: str) -> None:
        self._client = client
        self._model = model

    async def embed(self, windows: Pcm16) -> Embedding:
        """The vectors `[B, 256]` of at most 64 windows, `[B, T] int16` at 16 kHz.

        Raises:
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        found = await self._client.infer(
            self._model, {"AUDIO_PCM": np.ascontiguousarray(windows)}, "EMBEDDING"
        )
        if found.ndim != _MATRIX or len(found) != len(windows) or not np.isfinite(found).all():
            raise Unavailable("The model's answer is malformed.", code="model_unavailable")
        return found.astype(np.float32, copy=False)
