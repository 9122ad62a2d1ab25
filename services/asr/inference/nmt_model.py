"""The translation model (tensors: INPUT_TEXT, INPUT_… and OUTPUT_LANGUAGE_ID → OUTPUT_TEXT)."""

from collections.abc import Sequence

from shared.problem import Unavailable
from shared.triton.client import TritonClient, text_tensor

MAX_BATCH = 90
"""The model's `max_batch_size`."""


class NmtModel:
    """Translates texts."""

    def __init__(self, client: TritonClient, model: str) -> None:
        self._client = client
        self._model = model

    async def sources(self, target: str) -> list[str]:
        """Languages that are translated into `target`.

        Raises:
            Unavailable: Triton or the model is down.
        """
        pairs = [pair.split("-", 1) for pair in await self._client.languages(self._model)]
        return [pair[0] for pair in pairs if pair[-1] == target]

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translations of at most `MAX_BATCH` texts, in their order.

        Raises:
            InferenceRejected: The model refused the input.
            Unavailable: Triton or the model is down, or the model's answer makes no sense.
        """
        count = len(texts)
        inputs = {
            "INPUT_TEXT": text_tensor(texts, batched=True),
            "INPUT_LANGUAGE_ID": text_tensor([source] * count, batched=True),
            "OUTPUT_LANGUAGE_ID": text_tensor([target] * count, batched=True),
        }
        output = await self._client.infer(self._model, inputs, "OUTPUT_TEXT")
        if output.size != count:
            raise Unavailable("The model's answer is malformed.", code="model_unavailable")
        return [value.decode("utf-8", "replace") for value in output.reshape(-1)]
