"""The real Triton server over the project's own model folders, and a client of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, aio

from deploy.local.triton import TritonServer

MODELS = Path(__file__).resolve().parents[3] / "triton_models"
BATCHED = {"nmt", "nllb", "sentiment", "transliteration"}
DTYPES = {
    "int16": "INT16",
    "int32": "INT32",
    "float32": "FP32",
    "object": "BYTES",
    "bool": "BOOL",
    "uint8": "UINT8",
}


class Client:
    """Calls models with plain values: text or bytes (or a list), numbers, arrays."""

    def __init__(self, url: str) -> None:
        self.grpc = aio.InferenceServerClient(url)

    async def infer(self, model: str, *, timeout: float | None = 60, **values: Any) -> Any:
        """The first output, as the client library gives it."""
        result = await self._call(model, timeout, values)
        return result.as_numpy(result.get_response().outputs[0].name)

    async def outputs(self, model: str, *names: str, **values: Any) -> list[Any]:
        """Some outputs by name."""
        result = await self._call(model, 60, values)
        return [result.as_numpy(name) for name in names]

    async def _call(self, model: str, timeout: float | None, values: dict[str, Any]) -> Any:
        tensors = [self.tensor(model, name, value) for name, value in values.items()]
        return await self.grpc.infer(model, tensors, client_timeout=timeout)

    def tensor(self, model: str, name: str, value: Any) -> InferInput:
        """An input of a model."""
        array = self._array(value)
        if model in BATCHED:
            array = array.reshape(-1, 1)
        tensor = InferInput(name, list(array.shape), DTYPES[array.dtype.name])
        tensor.set_data_from_numpy(array)
        return tensor

    @staticmethod
    def _array(value: Any) -> NDArray[Any]:
        if isinstance(value, np.ndarray):
            return value
        if isinstance(value, int):
            return np.array([value], np.int32)
        if isinstance(value, float):
            return np.array([value], np.float32)
        texts = value if isinstance(value, list) else [value]
        raw = [text if isinstance(text, bytes) else text.encode() for text in texts]
        return np.array(raw, dtype=np.object_)


@pytest.fixture
async def client(triton: TritonServer) -> AsyncIterator[Client]:
    made = Client(triton.grpc_url)
    yield made
    await made.grpc.close()
