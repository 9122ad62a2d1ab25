"""Typed access to Triton over gRPC, with deadlines and our own errors.

gRPC rather than HTTP: a cancelled call reaches the model, and audio is not compressed on the way.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Histogram
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from shared.deadline import remaining_s
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.problem import BadRequest, DeadlineExceeded, Unavailable
from shared.serving import split_reference
from shared.telemetry.span import MODEL, Kind, Span, span

Array = NDArray[Any]
_logger = get_logger(__name__)

# gRPC's default back-off grows to two minutes: a restarted server would stay unused that long.
_CHANNEL_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]
_FACTS_TTL_S = 60.0
# What models say before the colon when the input is wrong, after whatever Triton puts in front;
# see the table in triton_models/README.md.
_INPUT_PROBLEM = re.compile(
    r"\b(unsupported_language|unknown_speaker|empty_text|invalid_text|text_too_long|empty_audio"
    r"|invalid_audio|audio_too_long|invalid_parameter): ([^\n]{1,300})"
)


class InferenceRejected(BadRequest):
    """The model says that the input is wrong."""

    status = 422
    title = "Unprocessable content"
    default_code = "input_rejected"


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """A request's place in a sequence of requests that one model instance answers in order.

    Attributes:
        id: Of the sequence; not 0.
        start: Whether it is the first one.
        end: Whether it is the last one.
    """

    id: int
    start: bool = False
    end: bool = False


_ALONE = SequenceStep(0)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a model's configuration says, and until when it is believed."""

    expires: float
    parameters: Mapping[str, str]
    inputs: frozenset[str]
    outputs: frozenset[str]


def _parent(made: Span | None) -> dict[str, str] | None:
    """What makes Triton's own spans children of ours.

    Only with a span that is recorded: Triton records whatever names a parent, sampled or not.
    """
    return None if made is None else {"traceparent": made.context.traceparent}


def text_tensor(values: Sequence[str], *, batched: bool = False) -> Array:
    """Strings as a BYTES tensor: `[n]`, or `[n, 1]` for a model that batches."""
    tensor = np.array([value.encode() for value in values], dtype=object)
    return tensor.reshape(-1, 1) if batched else tensor


class TritonClient:
    """Runs inferences; one per process.

    Args:
        url: gRPC `host:port`.
        timeout_s: Default deadline of an inference, passed on to the server.
        metrics: Where inferences are counted.
    """

    def __init__(self, url: str, timeout_s: float, metrics: Metrics) -> None:
        self._client = InferenceServerClient(url, channel_args=_CHANNEL_OPTIONS)
        self._timeout_s = timeout_s
        self._facts: dict[str, _Facts] = {}
        self._duration = Histogram(
            "speechgate_inference_duration_seconds",
            "Time of one call to Triton",
            ["model"],
            registry=metrics.registry,
        )
        self._failures = Counter(
            "speechgate_inference_failures",
            "Calls to Triton that failed, by code",
            ["model", "code"],
            registry=metrics.registry,
        )

    async def close(self) -> None:
        """Close the channel."""
        await self._client.close()

    async def infer(
        self,
        model: str,
        inputs: Mapping[str, Array],
        output: str,
        *,
        timeout_s: float | None = None,
    ) -> Array:
        """One inference; cancelling the task cancels the model's work.

        Args:
            model: Name of the model folder, or `name/version`.
            inputs: Tensors by name.
            output: Name of the wanted tensor.
            timeout_s: Deadline; the client's default when absent.

        Raises:
            InferenceRejected: The model refused the input; the code is the one that it named,
                such as `unsupported_language`, else `input_rejected`.
            Unavailable: No server, no such model, or the model's process is dead.
            DeadlineExceeded: No answer in time.
        """
        found = await self.infer_many(model, inputs, [output], timeout_s=timeout_s)
        return found[0]

    async def infer_many(
        self,
        model: str,
        inputs: Mapping[str, Array],
        outputs: Sequence[str],
        *,
        timeout_s: float | None = None,
        step: SequenceStep = _ALONE,
    ) -> list[Array]:
        """`infer` for several outputs, or for one request of a sequence.

        Args:
            model: Name of the model folder, or `name/version`.
            inputs: Tensors by name.
            outputs: Names of the wanted tensors.
            timeout_s: Deadline; the client's default when absent.
            step: Of a sequence, for a model that keeps state between requests.

        Raises:
            InferenceRejected: As `infer`; so do the others.
            Unavailable: No server, no such model, or the model's process is dead.
            DeadlineExceeded: No answer in time.
        """
        tensors = []
        for name, array in inputs.items():
            tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
            tensor.set_data_from_numpy(array)
            tensors.append(tensor)
        deadline = remaining_s(self._timeout_s if timeout_s is None else timeout_s)
        if deadline <= 0:
            raise DeadlineExceeded("No time was left for the inference.")
        name, version = split_reference(model)
        started = time.perf_counter()
        with span(f"infer {name}", Kind.CLIENT, {"rpc.system": "grpc", MODEL: model}) as made:
            try:
                result = await self._client.infer(
                    name,
                    tensors,
                    model_version=version,
                    outputs=[InferRequestedOutput(output) for output in outputs],
                    client_timeout=deadline,
                    headers=_parent(made),
                    sequence_id=step.id,
                    sequence_start=step.start,
                    sequence_end=step.end,
                )
            except InferenceServerException as error:
                raise self._translate(model, error) from error
        self._duration.labels(model).observe(time.perf_counter() - started)
        found: list[Array] = []
        for output in outputs:
            value: Array | None = result.as_numpy(output)
            if value is None:
                raise Unavailable("The model gave no output.", code="model_unavailable")
            found.append(value)
        return found

    async def model_ready(self, model: str) -> bool:
        """Whether Triton has the model loaded.

        Raises:
            Unavailable: Triton does not answer.
        """
        try:
            name, version = split_reference(model)
            return bool(await self._client.is_model_ready(name, version, client_timeout=1.0))
        except InferenceServerException as error:
            raise self._translate(model, error) from error

    async def languages(self, model: str) -> list[str]:
        """What the model's `languages` parameter lists; remembered for a minute.

        Raises:
            Unavailable: Triton does not answer.
        """
        listed = (await self._facts_of(model)).parameters.get("languages", "")
        return [code.strip() for code in listed.split(",") if code.strip()]

    async def parameters(self, model: str) -> Mapping[str, str]:
        """The parameters of the model's configuration; remembered for a minute.

        Raises:
            Unavailable: Triton does not answer.
        """
        return (await self._facts_of(model)).parameters

    async def input_names(self, model: str) -> frozenset[str]:
        """Names of the tensors that the model takes; remembered for a minute.

        Raises:
            Unavailable: Triton does not answer.
        """
        return (await self._facts_of(model)).inputs

    async def output_names(self, model: str) -> frozenset[str]:
        """Names of the tensors that the model gives; remembered for a minute.

        Raises:
            Unavailable: Triton does not answer.
        """
        return (await self._facts_of(model)).outputs

    async def _facts_of(self, model: str) -> "_Facts":
        facts = self._facts.get(model)
        if facts is None or time.monotonic() > facts.expires:
            try:
                name, version = split_reference(model)
                response = await self._client.get_model_config(name, version, client_timeout=2.0)
            except InferenceServerException as error:
                raise self._translate(model, error) from error
            given = response.config.parameters
            parameters = {name: given[name].string_value for name in given}
            inputs = frozenset(one.name for one in response.config.input)
            outputs = frozenset(one.name for one in response.config.output)
            facts = _Facts(time.monotonic() + _FACTS_TTL_S, parameters, inputs, outputs)
            self._facts[model] = facts
        return facts

    async def require_models(self, models: Sequence[str]) -> None:
        """Raise unless every model is ready; a health check."""
        states = await asyncio.gather(*(self.model_ready(model) for model in models))
        missing = [model for model, ready in zip(models, states, strict=True) if not ready]
        if missing:
            raise Unavailable(f"Models are not ready: {', '.join(missing)}.")

    def _translate(self, model: str, error: InferenceServerException) -> Exception:
        code, message = str(error.status() or ""), str(error.message() or "")
        self._failures.labels(model, code.removeprefix("StatusCode.")).inc()
        if code == str(grpc.StatusCode.INVALID_ARGUMENT):
            problem = _INPUT_PROBLEM.search(message)
            if problem is None:
                return InferenceRejected("The model refused the input.")
            named, words = problem.groups()
            if named == "unsupported_language":
                words = f"No loaded model serves this language; served: {words}"
            return InferenceRejected(words, code=named)
        if code in (str(grpc.StatusCode.DEADLINE_EXCEEDED), str(grpc.StatusCode.CANCELLED)):
            return DeadlineExceeded("The inference took too long.")
        _logger.error("inference failed", model=model, code=code, message=message[:300])
        if code == str(grpc.StatusCode.UNAVAILABLE) and "stub" not in message.lower():
            return Unavailable("The inference server is down.", code="inference_unavailable")
        return Unavailable("The model cannot be reached.", code="model_unavailable")
