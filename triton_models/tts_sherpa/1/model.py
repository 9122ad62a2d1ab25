"""Triton glue of the `tts_sherpa` model; the work is in sherpa_tts_engine.py."""

import json
from typing import Any, Dict, List

import triton_python_backend_utils as pb_utils
from sherpa_tts_engine import Synthesizer, try_weights
from sherpa_tts_weights import Options
from speech_request import (
    DEFAULT_SPEED,
    Cancelled,
    ClientError,
    EngineError,
    check_pitch,
    check_speed,
    clean_text,
)


class TritonPythonModel:
    """One instance speaks one text at a time."""

    def initialize(self, args: Dict[str, str]) -> None:
        """Load the weights; what is wrong with them fails the load in words."""
        try:
            options = Options.of(json.loads(args["model_config"])["parameters"])
            try_weights(options)
            self.synthesizer = Synthesizer(options)
        except EngineError as error:
            raise pb_utils.TritonModelException(str(error)) from error

    def execute(self, requests: List[Any]) -> List[Any]:
        """Answer each request by itself."""
        return [self._respond(request) for request in requests]

    def _respond(self, request: Any) -> Any:
        code = pb_utils.TritonError.INTERNAL
        try:
            tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
            language = tensors["INPUT_LANGUAGE_ID"].flat[0]
            speaker = self.synthesizer.voices.resolve(language, tensors["INPUT_SPEAKER_ID"].flat[0])
            speed = float(tensors["SPEED"].flat[0]) if "SPEED" in tensors else DEFAULT_SPEED
            pitch = float(tensors["PITCH"].flat[0]) if "PITCH" in tensors else 1.0
            audio = self.synthesizer.speak(
                clean_text(tensors["INPUT_TEXT"].flat[0]),
                language.decode(),
                speaker,
                check_speed(speed),
                check_pitch(pitch),
                request.is_cancelled,
            )
            return pb_utils.InferenceResponse([pb_utils.Tensor("OUTPUT_GENERATED_AUDIO", audio)])
        except ClientError as error:
            code, message = pb_utils.TritonError.INVALID_ARG, str(error)
        except Cancelled:
            code, message = pb_utils.TritonError.CANCELLED, "cancelled by the client"
        except EngineError as error:
            code, message = pb_utils.TritonError.UNAVAILABLE, str(error)
        except Exception as error:  # noqa: BLE001 - must not fail its batch
            # The name only: a message could quote the input.
            pb_utils.Logger.log_error(f"tts_sherpa: {type(error).__name__}")
            message = "internal error"
        return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
