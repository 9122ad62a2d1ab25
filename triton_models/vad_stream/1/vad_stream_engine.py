"""Silero voice activity detection window by window, for many streams in one call.

No Triton in here, and onnxruntime is imported only when the network is
loaded, so that the pure parts can be tested without either.
"""

import importlib.util
from pathlib import Path
from typing import Callable, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

WINDOW = 512  # samples a probability stands for: the network's own step
CONTEXT = 64  # samples of the window before that the network also sees
HIDDEN = 128
# A stream's state: the two halves of the network's memory, then its context.
STATE = 2 * HIDDEN + CONTEXT
MAX_WINDOWS = 64  # of one stream in one call: 2 s
SAMPLE_RATE = np.array(16_000, np.int64)

Floats = NDArray[np.float32]
Samples = NDArray[np.int16]
Counts = NDArray[np.int32]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


class Cancelled(Exception):
    """The client has gone."""


def check(
    pcm: Samples, counts: Optional[Counts], state: Optional[Floats]
) -> Tuple[Samples, Counts, Floats]:
    """Return windows [B, W, 512], their counts [B] and states [B, 320].

    A missing state is that of a stream's first window. Samples that fill no
    window count as silence behind them.

    Raises:
        ClientError: sizes that do not fit, or a state that holds no numbers.
    """
    if pcm.ndim == 1:
        pcm = pcm.reshape(1, -1)
    rows, length = pcm.shape
    width = -(-length // WINDOW)
    if not 0 < width <= MAX_WINDOWS:
        raise ClientError(f"invalid_audio: from 1 to {MAX_WINDOWS} windows of {WINDOW} samples")
    if width * WINDOW != length:
        pcm = np.pad(pcm, ((0, 0), (0, width * WINDOW - length)))
    held = np.full(rows, width, np.int32) if counts is None else counts.reshape(-1)
    if held.size != rows or held.min() < 0 or held.max() > width:
        raise ClientError("invalid_parameter: NUM_WINDOWS must be from 0 to the windows given")
    memory = np.zeros((rows, STATE), np.float32) if state is None else state.reshape(-1, STATE)
    if memory.shape[0] != rows or not np.isfinite(memory).all():
        raise ClientError("invalid_parameter: STATE must be what the call before returned")
    return pcm.reshape(rows, width, WINDOW), held, memory


def model_file() -> Path:
    """Return the ONNX file inside the installed silero-vad package.

    The package itself is never imported: its __init__ needs torch.

    Raises:
        EngineError: the package is not installed or has no such file.
    """
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / "silero_vad_16k_op15.onnx"
        if path.is_file():
            return path
    raise EngineError("pip package silero-vad (with its ONNX data) is not installed")


class StreamDetector:
    """Silero's streaming network on one CPU thread."""

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

    def score(
        self,
        windows: Samples,
        counts: Counts,
        states: Floats,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Tuple[Floats, Floats]:
        """Score the windows of B streams, of which each may have its own number.

        A stream's numbers do not depend on which others share the call.

        Args:
            windows: [B, W, 512] int16 at 16 kHz.
            counts: [B] how many of a stream's windows are its own.
            states: [B, 320] what the call before returned.
            cancelled: asked before each step over the streams.

        Returns:
            Probabilities [B, W], 0 where there is no window, and new states [B, 320].

        Raises:
            Cancelled: ``cancelled`` said so.
        """
        rows, width, _ = windows.shape
        found = np.zeros((rows, width), np.float32)
        memory = np.stack([states[:, :HIDDEN], states[:, HIDDEN : 2 * HIDDEN]])
        context = states[:, 2 * HIDDEN :].copy()
        audio = windows.astype(np.float32) / np.float32(32768)
        for step in range(int(counts.max(initial=0))):
            if cancelled():
                raise Cancelled
            # All of them, or those that have another window.
            live = np.flatnonzero(counts > step)
            block = np.concatenate([context[live], audio[live, step]], axis=1)
            values, new = self._session.run(
                ["output", "stateN"],
                {
                    "input": block,
                    "state": np.ascontiguousarray(memory[:, live]),
                    "sr": SAMPLE_RATE,
                },
            )
            found[live, step] = values.reshape(-1)
            memory[:, live] = new
            context[live] = block[:, -CONTEXT:]
        return found, np.concatenate([memory[0], memory[1], context], axis=1)
