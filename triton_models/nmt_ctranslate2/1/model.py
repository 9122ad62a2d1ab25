"""Triton glue of the `nmt_ctranslate2` model; the work is in ct2_engine.py."""

import json
from typing import Any, Dict, List, Tuple

import numpy as np
import triton_python_backend_utils as pb_utils
from ct2_engine import Cancelled, Options, Translator
from ct2_languages import ClientError, Direction, EngineError, check_pair


class TritonPythonModel:
    """One instance, one model in memory."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the weights; what is wrong with them fails the load in words."""
        try:
            options = Options.of(json.loads(args["model_config"])["parameters"])
            self.translator = Translator(options)
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Translate the texts of all requests together, direction by direction."""
        inputs: List[Any] = []
        wanted: Dict[Direction, List[Tuple[int, int, bytes]]] = {}
        for number, request in enumerate(requests):
            try:
                inputs.append(self._texts(request))
                for place, (direction, text) in enumerate(inputs[-1]):
                    wanted.setdefault(direction, []).append((number, place, text))
            except Exception as error:  # noqa: BLE001 - must not fail its batch
                inputs.append(error)
        results: List[List[Any]] = [[None] * len(i) if isinstance(i, list) else [i] for i in inputs]
        for direction, items in wanted.items():
            asking = [requests[number] for number in sorted({number for number, _, _ in items})]
            outcomes: List[Any]
            try:
                outcomes = self.translator.translate(
                    direction,
                    [text for _, _, text in items],
                    lambda asking=asking: all(request.is_cancelled() for request in asking),
                )
            except Exception as error:  # noqa: BLE001 - must not fail the other directions
                outcomes = [error] * len(items)
            for (number, place, _), outcome in zip(items, outcomes, strict=True):
                results[number][place] = outcome
        return [self._reply(outcomes) for outcomes in results]

    def _texts(self, request: Any) -> List[Tuple[Direction, bytes]]:
        """Return the (direction, text) of one request, or raise ClientError."""
        tensors = {tensor.name(): list(tensor.as_numpy().flat) for tensor in request.inputs()}
        languages = zip(tensors["INPUT_LANGUAGE_ID"], tensors["OUTPUT_LANGUAGE_ID"], strict=True)
        served = self.translator.directions
        directions = [check_pair(one, other, served) for one, other in languages]
        return list(zip(directions, tensors["INPUT_TEXT"], strict=True))

    def _reply(self, outcomes: List[Any]) -> Any:
        """One response: all texts of a request, or its first error."""
        for error in outcomes:
            if isinstance(error, Exception):
                code, message = pb_utils.TritonError.INTERNAL, "internal error"
                if isinstance(error, ClientError):
                    code, message = pb_utils.TritonError.INVALID_ARG, str(error)
                elif isinstance(error, EngineError):
                    code, message = pb_utils.TritonError.UNAVAILABLE, str(error)
                elif isinstance(error, Cancelled):
                    code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
                else:
                    # The name only: a message could quote the input.
                    pb_utils.Logger.log_error(f"nmt_ctranslate2: {type(error).__name__}")
                return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
        output = np.array([text.encode() for text in outcomes], dtype=np.object_).reshape(-1, 1)
        return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT_TEXT", output)])
