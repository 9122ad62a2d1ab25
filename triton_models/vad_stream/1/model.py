"""Triton glue of the `vad_stream` model; the work is in vad_stream_engine.py."""

from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from vad_stream_engine import Cancelled, ClientError, EngineError, StreamDetector, check


class TritonPythonModel:
    """One instance, one network."""

    def initialize(self, _args: Dict[str, str]) -> None:
        """Load the network; a missing engine fails the load with its name."""
        try:
            self.detector = StreamDetector()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself: a client has batched it already."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            windows, counts, states = check(
                tensors["AUDIO_PCM"], tensors.get("NUM_WINDOWS"), tensors.get("STATE")
            )
            found, new = self.detector.score(windows, counts, states, request.is_cancelled)
            return pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor("PROBABILITIES", found.astype(np.float32)),
                    pb_utils.Tensor("NEW_STATE", new.astype(np.float32)),
                ]
            )
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"vad_stream: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
