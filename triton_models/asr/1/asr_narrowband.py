"""Speech without anything above 3.7 kHz, as telephones send it, for a model of full-band speech.

The acoustic model was made of recordings that reach 6.8 kHz. In sound that ends below, the upper
mel filters hold whatever rounding left there, and every cepstrum is off. So two things are done:
the empty band is filled with faint noise that does not change, which the cepstral mean takes away,
and the model's means are told that these filters are constant. A cepstrum is a cosine transform of
the filters' logarithms, so that is one matrix, the same for all Gaussians. It follows from the
filters; nothing is trained.

Measured as word error rate, as it was and with all of it: a synthetic voice at 8 kHz 0.59, 0.16;
another 0.85, 0.21; the first over a telephone line with µ-law 0.72, 0.35; people, five recordings
at five speeds each, over that line 0.44, 0.38; the same at 8 kHz 0.37, 0.36. At full band the first
voice has 0.17, people have 0.30. Before the search was made wider too (asr_decoder.py), both gave
the first voice 0.22, the noise without the matrix 0.55, the matrix without the noise 0.52.
"""

import os
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# Of the acoustic model: feat.params in its folder.
_FILTERS, _LOWEST_HZ, _HIGHEST_HZ = 25, 130.0, 6_800.0
_CEPSTRA, _LIFTER, _STREAMS = 13, 22, 3
# The centre of the last filter that still hears the speech is below, that of the next one above.
_CUT_HZ = 3_700.0
# How much wider the model's distributions are there, and the noise below the loud parts of the
# speech. Narrower ones and fainter noise (1.25, -30 dB) suit people on the telephone a little
# better (0.35 for 0.37), and synthetic voices behind lossy codecs worse (0.24 for 0.21).
_WIDER = 1.4
_NOISE_DB = -20.0
_EMPTY_HZ = 4_200.0
# A band is empty when it stays so far below the loud parts: -75 dB is what rounding leaves of a
# recording at a usual level, -25 dB what is there in an s.
_EMPTY_DB = -50.0
_FRAME = 512
# Frames in which clipped peaks may reach into the empty band.
_STRAY = 0.02

Samples = NDArray[np.int16]


def is_narrow(pcm: Samples) -> bool:
    """Whether ``pcm`` ([T] int16, 16 kHz) has nothing above 4.2 kHz; False when it is short."""
    count = pcm.size // _FRAME
    if count == 0:
        return False
    frames = pcm[: count * _FRAME].reshape(count, _FRAME).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    border = int(_EMPTY_HZ / SAMPLE_RATE * _FRAME)
    loud = _loud(power[:, 1:border].mean(axis=1))
    high = np.quantile(power[:, border:].mean(axis=1), 1.0 - _STRAY)
    return bool(high < loud * 10 ** (_EMPTY_DB / 10))


def noise_level(pcm: Samples) -> float:
    """How loud the noise has to be that fills the band of ``pcm``, which is not empty."""
    window = SAMPLE_RATE // 100
    blocks = pcm[: pcm.size // window * window].astype(np.float64).reshape(-1, window)
    return float(np.sqrt(_loud((blocks**2).mean(axis=1)))) * 10 ** (_NOISE_DB / 20)


def fill(pcm: Samples, level: float, place: int = 0) -> Samples:
    """``pcm`` with noise above 4 kHz.

    Args:
        pcm: A piece of an utterance.
        level: Root mean square of the noise.
        place: How many samples of the utterance were before it: the noise goes on.
    """
    filled = pcm + level * np.resize(np.roll(_noise(), -(place % SAMPLE_RATE)), pcm.size)
    return np.clip(np.rint(filled), -32_768, 32_767).astype(np.int16)


def _loud(powers: NDArray[np.floating[Any]]) -> float:
    """The mean of the loudest third."""
    return float(np.sort(powers)[-max(1, powers.size // 3) :].mean())


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.float64]:
    """A second of noise above 4 kHz, of power 1; it goes on from its end to its start."""
    spectrum = np.fft.rfft(np.random.default_rng(1).normal(size=SAMPLE_RATE))
    spectrum[: SAMPLE_RATE // 4] = 0.0
    noise = np.fft.irfft(spectrum, SAMPLE_RATE)
    return noise / noise.std()


def adaptation() -> str:
    """The model's change as PocketSphinx reads it: for each stream, matrix, offset, variances.

    The streams are the cepstra, their differences and the differences of these, to all of which the
    same matrix applies.
    """
    matrix = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in _matrix())
    offset = " ".join(["0"] * _CEPSTRA)
    wider = " ".join([str(_WIDER)] * _CEPSTRA)
    stream = f"{_CEPSTRA}\n{matrix}\n{offset}\n{wider}\n"
    return f"1\n{_STREAMS}\n" + stream * _STREAMS


@lru_cache(maxsize=1)
def adaptation_file() -> str:
    """A path to `adaptation`, in memory, one for as long as the process runs."""
    descriptor = os.memfd_create("adaptation")
    os.write(descriptor, adaptation().encode())
    return f"/proc/self/fd/{descriptor}"


def _matrix() -> NDArray[np.float64]:
    """[13, 13]: cepstra of full-band speech to those of the same with constant upper filters."""
    lowest, highest = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    centres = np.linspace(lowest, highest, _FILTERS + 2)[1:-1]
    heard = 700.0 * (10.0 ** (centres / 2595.0) - 1.0) <= _CUT_HZ
    order, position = np.arange(_CEPSTRA)[:, None], np.arange(_FILTERS)[None, :]
    cosines = np.cos(np.pi * order * (position + 0.5) / _FILTERS) * np.sqrt(2.0 / _FILTERS)
    cosines[0] /= np.sqrt(2.0)
    lifter = 1.0 + _LIFTER / 2 * np.sin(np.pi * np.arange(_CEPSTRA) / _LIFTER)
    matrix: NDArray[np.float64] = (cosines * heard) @ cosines.T
    return matrix * lifter[:, None] / lifter[None, :]
