"""Silero voice activity detection: frame probabilities to speech segments.

No Triton in here, and onnxruntime is imported only when the network is
loaded, so that the pure parts can be tested without either.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
MAX_SECONDS = 600
FRAME = 512  # samples a probability stands for: the network's own step
THRESHOLDS = (0.01, 0.99)
CONTEXT = 64  # samples of the frame before that the network also sees
BLOCK = 512  # frames a network call; between calls cancellation is checked
HIDDEN = 128  # values of each of the network's two states
STATE = 2 * HIDDEN + CONTEXT
PIECE = BLOCK * FRAME  # samples: blocks then begin where they do in the whole recording
# A day of audio: more than anybody sends in one piece.
MAX_PROBABILITIES = 24 * 3600 * SAMPLE_RATE // FRAME
# The network releases speech below (threshold - this), so that a value that
# trembles around the threshold does not chop a word.
HYSTERESIS = 0.15

Floats = NDArray[np.float32]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


class Cancelled(Exception):
    """The client has gone."""


@dataclass(frozen=True)
class Options:
    """How probabilities become segments; durations in milliseconds."""

    threshold: float = 0.5
    min_silence_ms: int = 100
    speech_pad_ms: int = 30
    min_speech_ms: int = 100

    def __post_init__(self) -> None:
        """Raise ClientError for a value out of range (NaN included)."""
        low, high = THRESHOLDS
        if not low <= self.threshold <= high:
            raise ClientError(f"invalid_parameter: THRESHOLD must be from {low} to {high}")
        limits = {"min_silence": 60_000, "speech_pad": 5_000, "min_speech": 60_000}
        for name, limit in limits.items():
            if not 0 <= getattr(self, f"{name}_ms") <= limit:
                tensor = "SPEECH_PAD" if name == "speech_pad" else f"{name.upper()}_DURATION"
                raise ClientError(f"invalid_parameter: {tensor}_MS must be from 0 to {limit}")


def to_float(pcm: Optional[NDArray[Any]], wave: Optional[NDArray[Any]] = None) -> Floats:
    """Return [T] float32 in [-1, 1] from either PCM16 or float audio.

    Raises:
        ClientError: both or none given, empty, longer than 600 s, or not finite.
    """
    audio = wave if pcm is None else pcm
    if audio is None or (pcm is not None and wave is not None):
        raise ClientError("invalid_audio: give either AUDIO_PCM or WAVPATH")
    flat = audio.reshape(-1)
    if flat.size == 0:
        raise ClientError("empty_audio: no samples")
    if flat.size > MAX_SECONDS * SAMPLE_RATE:
        raise ClientError(f"audio_too_long: at most {MAX_SECONDS} seconds a call")
    if flat.dtype == np.int16:
        scaled: Floats = flat.astype(np.float32) / np.float32(32768)
        return scaled
    if not np.isfinite(flat).all():
        raise ClientError("invalid_audio: samples must be finite numbers")
    clipped: Floats = np.clip(flat, -1.0, 1.0).astype(np.float32)
    return clipped


def check_state(state: Optional[NDArray[Any]]) -> Optional[Floats]:
    """Return the state as given; ClientError unless it is one."""
    if state is None:
        return None
    if state.size != STATE or not np.isfinite(state).all():
        raise ClientError(f"invalid_parameter: STATE must hold {STATE} finite numbers")
    return state.reshape(-1).astype(np.float32)


def check_probabilities(values: NDArray[Any]) -> Floats:
    """Return probabilities as given; ClientError unless they are some."""
    flat = values.reshape(-1).astype(np.float32)
    if not 0 < flat.size <= MAX_PROBABILITIES or not ((flat >= 0) & (flat <= 1)).all():
        raise ClientError("invalid_parameter: PROBABILITIES must be numbers from 0 to 1")
    return flat


def check_rate(rate: int) -> None:
    """Raise ClientError unless the network's own sampling rate is given."""
    if rate != SAMPLE_RATE:
        raise ClientError(f"invalid_parameter: SAMPLING_RATE must be {SAMPLE_RATE}")


def speech_runs(probabilities: Floats, options: Options) -> List[Tuple[int, int]]:
    """Find runs of speech frames with hysteresis: [(first, last + 1)].

    A run ends where the probability fell below the release level for at
    least the minimum silence; runs shorter than the minimum speech go.
    """
    release = max(options.threshold - HYSTERESIS, 0.01)
    frames_per_ms = SAMPLE_RATE / 1000 / FRAME
    min_silence = options.min_silence_ms * frames_per_ms
    runs: List[Tuple[int, int]] = []
    first: Optional[int] = None
    quiet: Optional[int] = None
    for index, probability in enumerate(probabilities.tolist()):
        if probability >= options.threshold:
            first = index if first is None else first
            quiet = None
        elif first is not None and probability < release:
            quiet = index if quiet is None else quiet
            # The silence is over `index - quiet` whole frames long here.
            if index - quiet >= min_silence:
                runs.append((first, quiet))
                first = quiet = None
    if first is not None:
        # A quiet tail too short to end the run still belongs to it.
        runs.append((first, probabilities.size))
    min_speech = options.min_speech_ms * frames_per_ms
    return [(start, end) for start, end in runs if end - start > min_speech]


def segments(probabilities: Floats, samples: int, options: Options) -> List[Dict[str, float]]:
    """Turn frame probabilities into padded segments in seconds.

    Two segments never overlap: padding that would meet is shared half and half.
    """
    runs = speech_runs(probabilities, options)
    pad = options.speech_pad_ms * SAMPLE_RATE // 1000
    result: List[Dict[str, float]] = []
    for index, (first, last) in enumerate(runs):
        start, end = first * FRAME, min(last * FRAME, samples)
        before = runs[index - 1][1] * FRAME if index else None
        after = runs[index + 1][0] * FRAME if index + 1 < len(runs) else None
        left = start if before is None else (start - before) // 2
        right = samples - end if after is None else (after - end) // 2
        start, end = start - min(pad, left), end + min(pad, right)
        result.append(
            {
                # Whole milliseconds, in integers: the same wherever in the audio it is.
                "start": start * 1000 // SAMPLE_RATE / 1000,
                "end": end * 1000 // SAMPLE_RATE / 1000,
            }
        )
    return result


def model_file() -> Path:
    """Return the ONNX file inside the installed silero-vad package.

    The package itself is never imported: its __init__ needs torch.

    Raises:
        EngineError: the package is not installed or has no such file.
    """
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / "silero_vad_16k_sequence.onnx"
        if path.is_file():
            return path
    raise EngineError("pip package silero-vad (with its ONNX data) is not installed")


class Detector:
    """Silero's sequence network on one CPU thread."""

    def __init__(self) -> None:
        """Load the network; EngineError if a package is missing."""
        path = model_file()
        try:
            import onnxruntime  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, audio: Floats, cancelled: Callable[[], bool]) -> Floats:
        """Return one speech probability a frame ([ceil(T / 512)] float32).

        Raises:
            Cancelled: ``cancelled`` said so between two blocks.
        """
        return self.continued(audio, None, cancelled)[0]

    def continued(
        self, audio: Floats, state: Optional[Floats], cancelled: Callable[[], bool]
    ) -> Tuple[Floats, Floats]:
        """Return the probabilities of audio that goes on, and the state after it.

        The pieces of a long recording give what the whole would, bit for bit, when each but the
        last is a multiple of PIECE long.

        Args:
            audio: [T] float32.
            state: after what came before ([320] float32); None at the beginning.
            cancelled: says whether the client has gone.

        Raises:
            Cancelled: ``cancelled`` said so between two blocks.
        """
        frames = -(-audio.size // FRAME)
        before = np.zeros(STATE, np.float32) if state is None else state
        padded = np.zeros(CONTEXT + frames * FRAME, np.float32)
        padded[:CONTEXT] = before[2 * HIDDEN :]
        padded[CONTEXT : CONTEXT + audio.size] = audio
        windows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT + FRAME)[::FRAME]
        hidden = before[:HIDDEN].reshape(1, 1, HIDDEN)
        cell = before[HIDDEN : 2 * HIDDEN].reshape(1, 1, HIDDEN)
        found: List[Floats] = []
        for first in range(0, frames, BLOCK):
            if cancelled():
                raise Cancelled
            block = np.ascontiguousarray(windows[first : first + BLOCK])
            values, hidden, cell = self._session.run(
                ["speech_probs", "hn", "cn"], {"input": block, "h": hidden, "c": cell}
            )
            found.append(values.reshape(-1))
        after = np.concatenate([hidden.reshape(-1), cell.reshape(-1), padded[-CONTEXT:]])
        return np.concatenate(found), after

    def timestamps(
        self, audio: Floats, options: Options, cancelled: Callable[[], bool]
    ) -> List[Dict[str, float]]:
        """Return speech segments ``[{"start", "end"}]`` in seconds."""
        return segments(self.probabilities(audio, cancelled), audio.size, options)
