"""The `nmt` model."""

from collections.abc import Sequence

from services.nlp.exceptions import UnusableOutput
from services.nlp.models.languages import Pair
from shared.triton.client import TritonClient, text_tensor

MAX_BATCH = 90
"""The model's `max_batch_size`."""


class NmtModel:
    """Translations of sentences."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton

    async def pairs(self, model: str) -> list[Pair]:
        """Directions that the model serves."""
        return pairs_of(await self._triton.languages(model))

    async def translate(self, model: str, sentences: Sequence[str], pair: Pair) -> list[str]:
        """Translations of at most `MAX_BATCH` sentences, in their order.

        Args:
            model: Which one.
            sentences: What to translate.
            pair: As the model names it.

        Raises:
            UnusableOutput: The model answered with another number of sentences.
        """
        count = len(sentences)
        output = await self._triton.infer(
            model,
            {
                "INPUT_TEXT": text_tensor(sentences, batched=True),
                "INPUT_LANGUAGE_ID": text_tensor([pair.source] * count, batched=True),
                "OUTPUT_LANGUAGE_ID": text_tensor([pair.target] * count, batched=True),
            },
            "OUTPUT_TEXT",
        )
        if output.size != count:
            raise UnusableOutput
        return [value.decode("utf-8", "replace") for value in output.reshape(-1)]


def pairs_of(listed: Sequence[str]) -> list[Pair]:
    """The directions in a model's list of languages, `hi-ur` or `hin_Deva-urd_Arab`."""
    return [Pair(*entry.split("-", 1)) for entry in listed if "-" in entry]
