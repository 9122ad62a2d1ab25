"""The client's bytes as 16-bit samples."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from shared.audio.contract import Pcm16
from shared.audio.formats import INT16_SCALE, AudioFormat
from shared.audio.g711 import TABLES
from shared.streams import StreamRefused

_FLOAT_BYTES = 4
_FULL_SCALE = 32_767.0


_MULAW, _ALAW = (
    (TABLES[code] * INT16_SCALE).astype(np.int16) for code in (AudioFormat.MULAW, AudioFormat.ALAW)
)


def _pcm(data: bytes) -> Pcm16:
    if len(data) % 2:
        raise StreamRefused("A frame holds whole samples of 2 bytes.", "invalid_frame")
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def _float(data: bytes) -> Pcm16:
    if len(data) % _FLOAT_BYTES:
        raise StreamRefused("A frame holds whole samples of 4 bytes.", "invalid_frame")
    values = np.frombuffer(data, "<f4")
    if not np.isfinite(values).all():
        raise StreamRefused("Samples are finite numbers.", "invalid_audio")
    scaled: NDArray[np.float32] = np.clip(values, -1.0, 1.0) * np.float32(_FULL_SCALE)
    return np.rint(scaled).astype(np.int16)


def _mulaw(data: bytes) -> Pcm16:
    return _MULAW[np.frombuffer(data, np.uint8)]


def _alaw(data: bytes) -> Pcm16:
    return _ALAW[np.frombuffer(data, np.uint8)]


ENCODINGS: Mapping[str, Callable[[bytes], Pcm16]] = {
    "pcm_s16le": _pcm,
    "pcm_f32le": _float,
    "mulaw": _mulaw,
    "alaw": _alaw,
}
"""Each turns a frame into `[T] int16`; StreamRefused: `invalid_frame`, `invalid_audio`."""
