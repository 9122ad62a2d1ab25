"""The speech recognition model (tensors: AUDIO_PCM, LANG_ID, TOPK, BOOST → TRANSCRIPTS)."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from services.asr.models.transcript import Hypothesis, Recognition, Word
from shared.audio.contract import Pcm16
from shared.problem import Unavailable
from shared.triton.client import TritonClient, text_tensor

_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?", re.ASCII)


class AsrModel:
    """Recognizes segments."""

    def __init__(self, client: TritonClient) -> None:
        self._client = client

    async def languages(self, model: str) -> list[str]:
        """Languages that the model serves.

        Raises:
            Unavailable: Triton does not answer.
        """
        return await self._client.languages(model)

    async def takes_boost(self, model: str) -> bool:
        """Whether the model can prefer phrases.

        Raises:
            Unavailable: Triton does not answer.
        """
        return "BOOST" in await self._client.input_names(model)

    async def segment_gap_s(self, model: str) -> float | None:
        """Silence, in seconds, at which the model wants long audio cut; None if it does not say.

        Raises:
            Unavailable: Triton does not answer.
        """
        given = (await self._client.parameters(model)).get("segment_gap_s")
        return float(given) if given is not None and _DECIMAL.fullmatch(given) else None

    async def recognize(
        self,
        model: str,
        pcm: Pcm16,
        language: str,
        *,
        topk: int = 1,
        boost: Sequence[str] = (),
    ) -> Recognition:
        """Recognize one segment, `[T] int16` at 16 kHz.

        Args:
            model: Reference of a Triton model.
            pcm: The audio.
            language: As the model names it.
            topk: Hypotheses wanted.
            boost: Phrases to prefer, of a model that `takes_boost`.

        Raises:
            InferenceRejected: The model refused the input.
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        inputs = {"AUDIO_PCM": pcm, "LANG_ID": text_tensor([language])}
        if topk > 1:
            inputs["TOPK"] = np.array([topk], np.int32)
        if boost:
            inputs["BOOST"] = text_tensor(boost)
        output = await self._client.infer(model, inputs, "TRANSCRIPTS")
        return parse_recognition(output.flat[0])


def parse_recognition(document: bytes) -> Recognition:
    """The model's answer: JSON with words, or the bare text that simple models give.

    Raises:
        Unavailable: It is neither.
    """
    if not document.lstrip().startswith(b"{"):
        return Recognition(document.decode(errors="replace").strip(), (), 0.0)
    try:
        found: dict[str, Any] = orjson.loads(document)
        return Recognition(
            text=str(found["text"]),
            words=tuple(_word(word) for word in found.get("words", ())),
            confidence=_share(found.get("confidence", 0.0)),
            alternatives=tuple(
                Hypothesis(str(one["text"]), float(one["score"])) for one in found.get("nbest", ())
            ),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise Unavailable("The model's answer is malformed.", code="model_unavailable") from error


def _word(found: dict[str, Any]) -> Word:
    return Word(
        str(found["word"]), float(found["start"]), float(found["end"]), _share(found["confidence"])
    )


def _share(value: Any) -> float:
    return min(max(float(value), 0.0), 1.0)
