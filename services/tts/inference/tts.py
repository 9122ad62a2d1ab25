"""The `tts` model."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.tts.exceptions import UnusableAudio
from services.tts.models.sound import PCM16_SCALE, Pcm16
from services.tts.models.voices import GENDERS, ModelFacts, ModelVoice
from shared.logging import get_logger
from shared.triton.client import TritonClient, text_tensor

MODEL_RATE = 22_050
"""Sampling rate of a model that names none, in Hz."""
_FLOATS, _PCM = "OUTPUT_GENERATED_AUDIO", "AUDIO_PCM"
_RATES = range(8_000, 48_001)
_PCM16 = np.iinfo(np.int16)
_logger = get_logger(__name__)


class TtsModel:
    """Speech of short texts."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton
        self._known: dict[str, tuple[Mapping[str, str], ModelFacts]] = {}

    async def describe(self, model: str) -> ModelFacts:
        """What the model's configuration says of it; asked for again after a minute.

        Raises:
            Unavailable: Triton does not answer, or has no such model.
        """
        parameters = await self._triton.parameters(model)
        known = self._known.get(model)
        if known is None or known[0] is not parameters:
            inputs = await self._triton.input_names(model)
            outputs = await self._triton.output_names(model)
            known = (parameters, _facts(model, parameters, inputs, outputs))
            self._known[model] = known
        return known[1]

    async def speak(
        self,
        model: str,
        text: str,
        *,
        language: str,
        speaker: str,
        words_per_minute: float | None,
        pitch: float | None,
    ) -> Pcm16:
        """Sound `[n] int16` of one part, at the model's rate.

        Args:
            model: Reference.
            text: Of one part.
            language: ISO 639 code.
            speaker: A gender, or a name that the model knows.
            words_per_minute: None for the model's own speed.
            pitch: Factor; None for the voice's own pitch.

        Raises:
            UnusableAudio: The model's answer has samples that are no numbers.
        """
        inputs: dict[str, NDArray[Any]] = {
            "INPUT_TEXT": text_tensor([text]),
            "INPUT_SPEAKER_ID": text_tensor([speaker]),
            "INPUT_LANGUAGE_ID": text_tensor([language]),
        }
        if words_per_minute is not None:
            inputs["SPEED"] = np.array([words_per_minute], np.float32)
        if pitch is not None:
            inputs["PITCH"] = np.array([pitch], np.float32)
        if (await self.describe(model)).gives_pcm:
            pcm: Pcm16 = (await self._triton.infer(model, inputs, _PCM)).reshape(-1)
            return pcm
        audio = await self._triton.infer(model, inputs, _FLOATS)
        samples = audio.reshape(-1).astype(np.float32, copy=False)
        if not np.isfinite(samples).all():
            raise UnusableAudio
        # 16 bits are what every engine's sound is worth, in half the memory.
        scaled = np.rint(samples * np.float32(PCM16_SCALE))
        rounded: Pcm16 = np.clip(scaled, _PCM16.min, _PCM16.max).astype(np.int16)
        return rounded


def _facts(
    model: str, parameters: Mapping[str, str], inputs: frozenset[str], outputs: frozenset[str]
) -> ModelFacts:
    listed = parameters.get("languages", "").split(",")
    rate = parameters.get("sampling_rate", "")
    sampling_rate = int(rate) if rate.isascii() and rate.isdigit() else MODEL_RATE
    if sampling_rate not in _RATES:
        _logger.warning("the model names a sampling rate that is none", model=model)
        sampling_rate = MODEL_RATE
    named = _named(model, parameters.get("voices", ""))
    spoken = dict.fromkeys(voice.language for voice in named)
    described = json.dumps([sorted(parameters.items()), sorted(inputs), sorted(outputs)])
    return ModelFacts(
        languages=tuple(code.strip() for code in listed if code.strip()) or tuple(spoken),
        sampling_rate=sampling_rate,
        named=named,
        takes_speed="SPEED" in inputs,
        takes_pitch="PITCH" in inputs,
        gives_pcm=_PCM in outputs,
        revision=hashlib.sha256(described.encode()).hexdigest(),
    )


def _named(model: str, listed: str) -> tuple[ModelVoice, ...]:
    """The voices that a model names."""
    if not listed.strip():
        return ()
    try:
        return tuple(
            ModelVoice(
                name=str(voice["name"]),
                language=str(voice["language"]),
                gender=voice["gender"] if voice.get("gender") in GENDERS else "",
            )
            for voice in json.loads(listed)
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        _logger.warning("the model's list of voices cannot be read", model=model)
        return ()
