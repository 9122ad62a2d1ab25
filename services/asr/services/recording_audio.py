"""The audio of kept recordings: short pieces of Ogg Vorbis, mono, 16 kHz, each complete by itself.

So any span is read by the few pieces that hold it, and a piece is one encrypted part. Vorbis takes
a fourteenth of the time that Opus does for half as much again (44 kbit/s), and is exact to the
sample.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from services.asr.models.audio import SAMPLE_RATE
from shared.audio.contract import Samples
from shared.audio.encode import OutputFormat, best_rate, resample
from shared.audio.encode_stream import encode_audio
from shared.audio.formats import INT16_SCALE

# Bursts of noise are the largest: 66 kbit/s. A piece of them still fits an encrypted part.
PIECE = 6 * SAMPLE_RATE
_FADE = SAMPLE_RATE // 100
Float = NDArray[np.float32]


def pieces_in(samples: int) -> int:
    """How many pieces hold so many samples."""
    return -(-samples // PIECE)


def encode_piece(tracks: Sequence[Samples], index: int) -> bytes:
    """One piece of a recording, its tracks mixed."""
    parts = [track[index * PIECE : (index + 1) * PIECE] for track in tracks]
    mixed = np.mean(np.stack(parts).astype(np.float32), axis=0) / INT16_SCALE
    return encode_audio(mixed.astype(np.float32), SAMPLE_RATE, OutputFormat.OGG)


def decode_pieces(pieces: Iterable[bytes], first: int, start: int, end: int) -> Float:
    """Samples `start` to `end` of a recording.

    Args:
        pieces: Consecutive ones that hold them.
        first: Number of the first one.
        start: Of the span, in samples of the whole recording.
        end: Exclusive.
    """
    decoded = np.concatenate([_decoded(piece) for piece in pieces])
    offset = first * PIECE
    return decoded[start - offset : end - offset]


def joined(spoken: Float, clip: Float, pause_s: float) -> Float:
    """What is spoken, a pause, and the clip, whose cut edges are faded."""
    silence = np.zeros(round(pause_s * SAMPLE_RATE), np.float32)
    return np.concatenate([spoken, silence, _faded(clip)])


def written(samples: Float, audio_format: OutputFormat, rate: int | None) -> tuple[bytes, int]:
    """The samples as a file, and its rate (Hz).

    Args:
        samples: At `SAMPLE_RATE`.
        audio_format: Of the file.
        rate: That is wanted (Hz); the nearest that the format holds, from there on upwards.
    """
    chosen = best_rate(audio_format, rate or SAMPLE_RATE)
    return encode_audio(resample(samples, SAMPLE_RATE, chosen), chosen, audio_format), chosen


def floats(pcm: NDArray[np.int16]) -> Float:
    """`[T] float32` of 16-bit samples."""
    return pcm.astype(np.float32) / np.float32(INT16_SCALE)


def _decoded(piece: bytes) -> Float:
    samples: Any
    samples, rate = soundfile.read(io.BytesIO(piece), dtype="float32")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError("a kept piece is not what was written")
    found: Float = samples
    return found


def _faded(clip: Float) -> Float:
    length = min(_FADE, len(clip) // 2)
    if not length:
        return clip
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    faded = clip.copy()
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded
