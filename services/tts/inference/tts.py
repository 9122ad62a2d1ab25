"""The `tts` model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.tts.exceptions import UnusableAudio
from shared.triton.client import TritonClient, text_tensor

MODEL_RATE = 22_050
"""Sampling rate of the model's audio, in Hz."""


class TtsModel:
    """Speech of short texts."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton

    async def languages(self, model: str) -> list[str]:
        """ISO 639 codes that the model serves."""
        return await self._triton.languages(model)

    async def speak(
        self, model: str, text: str, *, language: str, speaker: str, words_per_minute: float | None
    ) -> NDArray[np.float32]:
        """Audio `[T] float32` of one chunk at `MODEL_RATE`.

        Raises:
            UnusableAudio: The model's answer has no samples, or some that are no numbers.
        """
        inputs: dict[str, NDArray[Any]] = {
            "INPUT_TEXT": text_tensor([text]),
            "INPUT_SPEAKER_ID": text_tensor([speaker]),
            "INPUT_LANGUAGE_ID": text_tensor([language]),
        }
        if words_per_minute is not None:
            inputs["SPEED"] = np.array([words_per_minute], np.float32)
        audio = await self._triton.infer(model, inputs, "OUTPUT_GENERATED_AUDIO")
        samples = audio.reshape(-1).astype(np.float32, copy=False)
        if not np.isfinite(samples).all():
            raise UnusableAudio
        return samples
