"""The `sentiment` model."""

from collections.abc import Sequence

import orjson
from pydantic import TypeAdapter, ValidationError

from services.nlp.exceptions import UnusableOutput
from services.nlp.models.analysis import Sentiment
from shared.triton.client import TritonClient, text_tensor

MAX_BATCH = 64
"""The model's `max_batch_size`."""
_SENTIMENT = TypeAdapter(Sentiment)


class SentimentModel:
    """Sentiment of texts."""

    def __init__(self, triton: TritonClient) -> None:
        self._triton = triton

    async def languages(self, model: str) -> list[str]:
        """ISO 639 codes that the model serves."""
        return await self._triton.languages(model)

    async def score(self, model: str, texts: Sequence[str], language: str) -> list[Sentiment]:
        """Sentiment of at most `MAX_BATCH` texts, in their order.

        Raises:
            UnusableOutput: The model answered with something else.
        """
        output = await self._triton.infer(
            model,
            {
                "INPUT_TEXT": text_tensor(texts, batched=True),
                "LANG_ID": text_tensor([language] * len(texts), batched=True),
            },
            "SENTIMENT",
        )
        if output.size != len(texts):
            raise UnusableOutput
        try:
            found = (orjson.loads(value) for value in output.reshape(-1))
            return [_SENTIMENT.validate_python(one) for one in found]
        except (orjson.JSONDecodeError, ValidationError) as error:
            raise UnusableOutput from error
