"""Triton glue of the `vad` model; the work is in vad_engine.py."""

import json
from typing import Any, Dict, List

import numpy as np
import triton_python_backend_utils as pb_utils
from vad_engine import (
    FRAME,
    Cancelled,
    ClientError,
    Detector,
    EngineError,
    Options,
    check_probabilities,
    check_rate,
    check_state,
    segments,
    to_float,
)


class TritonPythonModel:
    """One instance, one network."""

    def initialize(self, _args: Dict[str, str]) -> None:
        """Load the network; a missing engine fails the load with its name."""
        try:
            self.detector = Detector()
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            known = tensors.pop("PROBABILITIES", None)
            state = check_state(tensors.pop("STATE", None))
            if known is None:
                audio = to_float(tensors.pop("AUDIO_PCM", None), tensors.pop("WAVPATH", None))
            values = {name: tensor.flat[0] for name, tensor in tensors.items()}
            check_rate(int(values.get("SAMPLING_RATE", 16_000)))
            options = Options(
                float(values.get("THRESHOLD", 0.5)),
                int(values.get("MIN_SILENCE_DURATION_MS", 100)),
                int(values.get("SPEECH_PAD_MS", 30)),
                int(values.get("MIN_SPEECH_DURATION_MS", 100)),
            )
            outputs: Dict[str, Any] = {}
            if known is None:
                samples = audio.size
                found, after = self.detector.continued(audio, state, request.is_cancelled)
                more = {"PROBABILITIES": found, "NEW_STATE": after}
            else:
                found = check_probabilities(known)
                samples, more = found.size * FRAME, {}
            wanted = request.requested_output_names()
            if "TIMESTAMPS" in wanted:
                document = json.dumps(segments(found, samples, options)).encode()
                outputs["TIMESTAMPS"] = np.array([document], dtype=np.object_)
            outputs.update(more)
            tensors = [pb_utils.Tensor(name, outputs[name]) for name in outputs if name in wanted]
            return pb_utils.InferenceResponse(tensors)
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"vad: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
