"""Triton glue of the `tts` model; the work is in tts_engine.py."""

import json
from typing import Any, Dict, List

import triton_python_backend_utils as pb_utils
from tts_engine import (
    DEFAULT_SPEED,
    Cancelled,
    ClientError,
    EngineError,
    Synthesizer,
    as_float,
    check_pitch,
    check_speed,
    clean_text,
)


class TritonPythonModel:
    """One instance speaks one text at a time."""

    def initialize(self, args: Dict[str, str]) -> None:
        """List the voices; a missing engine fails the load with its name."""
        parameters = json.loads(args["model_config"])["parameters"]
        languages = parameters["languages"]["string_value"].split(",")
        timeout = float(parameters["call_timeout_s"]["string_value"])
        try:
            self.synthesizer = Synthesizer(languages, timeout)
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            voice = self.synthesizer.voices.resolve(
                tensors["INPUT_LANGUAGE_ID"].flat[0], tensors["INPUT_SPEAKER_ID"].flat[0]
            )
            speed = float(tensors["SPEED"].flat[0]) if "SPEED" in tensors else DEFAULT_SPEED
            pitch = float(tensors["PITCH"].flat[0]) if "PITCH" in tensors else 1.0
            pcm = self.synthesizer.speak(
                clean_text(tensors["INPUT_TEXT"].flat[0]),
                voice,
                check_speed(speed),
                check_pitch(pitch),
                request.is_cancelled,
            )
            outputs = {"OUTPUT_GENERATED_AUDIO": lambda: as_float(pcm), "AUDIO_PCM": lambda: pcm}
            wanted = set(request.requested_output_names())
            return pb_utils.InferenceResponse(
                [pb_utils.Tensor(name, make()) for name, make in outputs.items() if name in wanted]
            )
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except EngineError as error:
            code, message = pb_utils.TritonError.UNAVAILABLE, str(error)
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"tts: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
