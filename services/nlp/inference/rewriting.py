"""Models that write a text anew: `itn` and `punctuation`, with the same tensors."""

from collections.abc import Sequence

from services.nlp.exceptions import UnusableOutput
from shared.triton.client import TritonClient, text_tensor

MAX_BATCH = 32
"""Texts in one call: a model may take more, hardly less."""


class RewritingModel:
    """Texts as a model writes them."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton

    async def languages(self, model: str) -> list[str]:
        """ISO 639 codes that the model serves; none where it does not say."""
        return await self._triton.languages(model)

    async def rewrite(self, model: str, texts: Sequence[str], language: str) -> list[str]:
        """At most `MAX_BATCH` texts, in their order.

        Raises:
            UnusableOutput: The model answered with another number of texts.
        """
        output = await self._triton.infer(
            model,
            {
                "INPUT_TEXT": text_tensor(texts, batched=True),
                "LANG_ID": text_tensor([language] * len(texts), batched=True),
            },
            "OUTPUT_TEXT",
        )
        if output.size != len(texts):
            raise UnusableOutput
        return [value.decode("utf-8", "replace") for value in output.reshape(-1)]
