"""Joins the audio of chunks without clicks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
_FADE_S = 0.005
_SENTENCE_PAUSE_S = 0.2
_CUT_PAUSE_S = 0.06


def join(parts: Sequence[Samples], ends_sentence: Sequence[bool], rate: int) -> Samples:
    """The parts in order, `[T] float32`, with a pause between them.

    Each joint fades out and in over 5 ms: a step in the signal would be heard as a click. The
    pause is longer after a sentence than inside one.

    Args:
        parts: `[t] float32` each.
        ends_sentence: Whether each part is the end of a sentence.
        rate: In Hz.
    """
    if len(parts) == 1:
        return parts[0]
    pieces: list[Samples] = []
    last = len(parts) - 1
    for index, part in enumerate(parts):
        pieces.append(_faded(part, rate, at_start=index > 0, at_end=index < last))
        if index < last:
            seconds = _SENTENCE_PAUSE_S if ends_sentence[index] else _CUT_PAUSE_S
            pieces.append(np.zeros(round(rate * seconds), np.float32))
    return np.concatenate(pieces)


def _faded(part: Samples, rate: int, *, at_start: bool, at_end: bool) -> Samples:
    length = min(round(rate * _FADE_S), len(part) // 2)
    if length == 0:
        return part
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    faded = part.copy()
    if at_start:
        faded[:length] *= ramp
    if at_end:
        faded[-length:] *= ramp[::-1]
    return faded
