"""The model that recognizes while people speak: a sequence of AUDIO_PCM → TRANSCRIPTS."""

import secrets

import numpy as np

from services.asr.inference.asr_model import parse_recognition
from shared.audio.contract import Pcm16
from shared.triton.client import Array, SequenceStep, TritonClient, text_tensor

_ID_BITS = 63


class AsrStreamModel:
    """Opens utterances."""

    def __init__(self, client: TritonClient, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    def utterance(self, model: str, language: str) -> "SpokenUtterance":
        """A new utterance; it takes a place in the model with its first audio."""
        return SpokenUtterance(self._client, model, language, self._timeout_s)


class SpokenUtterance:
    """One utterance; one call at a time."""

    def __init__(self, client: TritonClient, model: str, language: str, timeout_s: float) -> None:
        self._client = client
        self._model = model
        self._language = text_tensor([language])
        self._timeout_s = timeout_s
        self._id = secrets.randbits(_ID_BITS) | 1
        self._open = False

    async def hear(self, pcm: Pcm16) -> str:
        """The text so far, with `[T] int16` at 16 kHz more; waits for a place in the model.

        Raises:
            InferenceRejected: The model refused the language or the length.
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
            DeadlineExceeded: There was no place in time.
        """
        start, self._open = not self._open, True
        inputs: dict[str, Array] = {"AUDIO_PCM": pcm, "LANG_ID": self._language}
        return await self._send(inputs, SequenceStep(self._id, start=start))

    async def drop(self) -> None:
        """Leave the place in the model, if one is taken.

        Raises:
            SpeechgateError: The model does not know the utterance any more, or does not answer.
        """
        if not self._open:
            return
        self._open = False
        inputs: dict[str, Array] = {
            "AUDIO_PCM": np.zeros(1, np.int16),
            "LANG_ID": self._language,
            "CANCEL": np.array([True]),
        }
        await self._send(inputs, SequenceStep(self._id, end=True))

    async def _send(self, inputs: dict[str, Array], step: SequenceStep) -> str:
        found = await self._client.infer_many(
            self._model, inputs, ["TRANSCRIPTS"], timeout_s=self._timeout_s, step=step
        )
        return parse_recognition(found[0].flat[0]).text
