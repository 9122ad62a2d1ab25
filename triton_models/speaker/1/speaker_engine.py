"""Voices as vectors: Resemblyzer's mel front end and LSTM (GE2E, arXiv:1710.10467).

No Triton in here; onnxruntime and the weights are loaded only when the encoder is made.
"""

import math
from typing import Callable, List

import numpy as np
from numpy.typing import NDArray
from speaker_network import lstm_model
from speaker_weights import EngineError, read_state, weights_file

__all__ = ["Cancelled", "ClientError", "Encoder", "EngineError", "mel_frames", "to_windows"]

SAMPLE_RATE = 16_000
WINDOW = 25_600  # samples: 1.6 s, what the network was trained on
SHORTEST = 6_400
HOP = 160  # samples between two mel frames
FFT = 400
MELS = 40
SIZE = 256
BLOCK = 16  # windows the network runs at once; between blocks cancellation is checked
# Volume, as a root mean square, that quieter windows are raised to (-30 dB of full scale).
LEVEL = 10 ** (-30 / 20)
_BEND_HERTZ, _BEND_MEL, _LOG_STEP = 1000.0, 15.0, math.log(6.4) / 27

Floats = NDArray[np.float32]


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class Cancelled(Exception):
    """The client has gone."""


def to_windows(pcm: NDArray[np.int16]) -> Floats:
    """Return [B, T] float32 in [-1, 1) from [B, T] or [T] PCM.

    Raises:
        ClientError: shorter than 0.4 s or longer than 1.6 s.
    """
    windows = pcm.reshape(1, -1) if pcm.ndim == 1 else pcm
    if windows.shape[1] == 0:
        raise ClientError("empty_audio: no samples")
    if windows.shape[1] < SHORTEST:
        raise ClientError("invalid_audio: a window must have at least 0.4 seconds")
    if windows.shape[1] > WINDOW:
        raise ClientError("audio_too_long: a window must have at most 1.6 seconds")
    scaled: Floats = windows.astype(np.float32) / np.float32(32768)
    return scaled


def raise_volume(windows: Floats) -> Floats:
    """Raise quiet windows to LEVEL; loud ones and silence stay as they are."""
    power = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1, keepdims=True))
    gain = np.where(power > 0, np.maximum(LEVEL / np.maximum(power, 1e-9), 1.0), 1.0)
    raised: Floats = (windows * gain).astype(np.float32)
    return raised


def mel_scale(hertz: float) -> float:
    """Slaney's mel scale: linear to 1 kHz, logarithmic above."""
    if hertz < _BEND_HERTZ:
        return hertz * _BEND_MEL / _BEND_HERTZ
    return _BEND_MEL + math.log(hertz / _BEND_HERTZ) / _LOG_STEP


def mel_hertz(mel: float) -> float:
    """The inverse of `mel_scale`."""
    if mel < _BEND_MEL:
        return mel * _BEND_HERTZ / _BEND_MEL
    return _BEND_HERTZ * math.exp((mel - _BEND_MEL) * _LOG_STEP)


def mel_filters() -> Floats:
    """Return [201, 40] triangular filters of equal area from 0 to 8 kHz (Slaney, 1998)."""
    top = mel_scale(SAMPLE_RATE / 2)
    edges = np.array([mel_hertz(index * top / (MELS + 1)) for index in range(MELS + 2)])
    bins = np.arange(FFT // 2 + 1)[:, None] * (SAMPLE_RATE / FFT)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    filters: Floats = (np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)).astype(
        np.float32
    )
    return filters


_FILTERS = mel_filters()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)


def mel_frames(windows: Floats) -> Floats:
    """Return the mel power spectrogram of [B, T] as [T // 160, B, 40].

    Frames are centred, with zeros beyond the window's ends.
    """
    padded = np.pad(windows, ((0, 0), (FFT // 2, FFT // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT, axis=1)[:, ::HOP]
    frames = frames[:, : windows.shape[1] // HOP] * _HANN
    spectrum = np.fft.rfft(frames, axis=2)
    power = (np.square(spectrum.real) + np.square(spectrum.imag)).astype(np.float32)
    return np.ascontiguousarray((power @ _FILTERS).transpose(1, 0, 2))


class Encoder:
    """Three LSTM layers, a projection, and a vector of length 1."""

    def __init__(self) -> None:
        """Read the weights; EngineError if a package is missing."""
        state = read_state(weights_file())
        try:
            import onnxruntime  # noqa: PLC0415 - only where it is used
        except ImportError as error:
            raise EngineError("pip package onnxruntime is not installed") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            lstm_model(state), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._projection = np.ascontiguousarray(state["linear.weight"].T)
        self._offset = state["linear.bias"]

    def embed(self, windows: Floats, cancelled: Callable[[], bool] = lambda: False) -> Floats:
        """Return a vector of length 1 for each window: [B, T] to [B, 256].

        A window without any sound has no voice: its vector is zero.

        Raises:
            Cancelled: ``cancelled`` said so between two blocks.
        """
        found: List[Floats] = []
        for first in range(0, len(windows), BLOCK):
            if cancelled():
                raise Cancelled
            found.append(self._block(windows[first : first + BLOCK]))
        return np.concatenate(found)

    def _block(self, windows: Floats) -> Floats:
        frames = mel_frames(raise_volume(windows))
        hidden = self._session.run(["hidden"], {"mel": frames})[0][0]
        raw = np.maximum(hidden @ self._projection + self._offset, 0)
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        silent = ~windows.any(axis=1, keepdims=True) | (length == 0)
        unit: Floats = np.where(silent, 0, raw / np.maximum(length, 1e-9)).astype(np.float32)
        return unit
