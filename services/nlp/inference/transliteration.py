"""The `transliteration` model."""

from collections.abc import Sequence

import numpy as np
import orjson

from services.nlp.exceptions import UnusableOutput
from services.nlp.inference.nmt import pairs_of
from services.nlp.models.languages import Pair
from shared.triton.client import TritonClient, text_tensor


class TransliterationModel:
    """Spellings of texts in another script."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton

    async def pairs(self, model: str) -> list[Pair]:
        """Directions that the model serves."""
        return pairs_of(await self._triton.languages(model))

    async def spell(
        self, model: str, texts: Sequence[str], pair: Pair, *, words: bool, top: int
    ) -> list[list[str]]:
        """Spellings of each text, best first, in the order of the texts.

        Args:
            model: Which one.
            texts: At most the model's `max_batch_size`.
            pair: As the model names it.
            words: Whether each text is a single word.
            top: Most spellings of each, 1 to 255.

        Raises:
            UnusableOutput: The model answered with something else.
        """
        count = len(texts)
        output = await self._triton.infer(
            model,
            {
                "INPUT_TEXT": text_tensor(texts, batched=True),
                "INPUT_LANGUAGE_ID": text_tensor([pair.source] * count, batched=True),
                "OUTPUT_LANGUAGE_ID": text_tensor([pair.target] * count, batched=True),
                "IS_WORD_LEVEL": np.full((count, 1), words),
                "TOP_K": np.full((count, 1), top, dtype=np.uint8),
            },
            "OUTPUT_TEXT",
        )
        if output.size != count:
            raise UnusableOutput
        return [_suggestions(value, top) for value in output.reshape(-1)]


def _suggestions(value: bytes, top: int) -> list[str]:
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise UnusableOutput from error
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise UnusableOutput
    return found[:top]
