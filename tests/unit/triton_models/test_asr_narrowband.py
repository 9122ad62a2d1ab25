import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

RATE = 16_000
FILTERS, CEPSTRA = 25, 13


def hiss(seconds: float = 2.0) -> NDArray[np.int16]:
    """Full-band noise, as loud as speech."""
    return np.random.default_rng(5).normal(0, 2000, int(seconds * RATE)).astype(np.int16)


def narrow(pcm: NDArray[np.int16], rate: int = 8_000) -> NDArray[np.int16]:
    """The same after a way through a lower sampling rate."""
    there = np.rint(soxr.resample(pcm.astype(np.float32), RATE, rate))
    back = soxr.resample(np.clip(there, -32_768, 32_767), rate, RATE)
    return np.clip(np.rint(back), -32_768, 32_767).astype(np.int16)


def power_db(pcm: NDArray[np.int16], low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(pcm.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(pcm.size, 1 / RATE)
    return float(10 * np.log10(spectrum[(hz >= low) & (hz < high)].sum() / pcm.size**2))


def test_what_came_from_a_telephone_is_told_from_full_band_sound(
    asr_narrowband: ModuleType,
) -> None:
    sound = hiss()
    assert asr_narrowband.is_narrow(narrow(sound))
    assert asr_narrowband.is_narrow(np.concatenate([narrow(sound), np.zeros(RATE, np.int16)]))
    assert not asr_narrowband.is_narrow(sound)
    assert not asr_narrowband.is_narrow(narrow(sound, 11_025))
    # A fifth of the time, and faint: as an s.
    once = narrow(sound)
    once[: once.size // 5] += (sound[: once.size // 5] / 20).astype(np.int16)
    assert not asr_narrowband.is_narrow(once)


@pytest.mark.parametrize("samples", [0, 1, 511, 16_000])
def test_silence_is_not_narrow(asr_narrowband: ModuleType, samples: int) -> None:
    assert not asr_narrowband.is_narrow(np.zeros(samples, np.int16))


def test_the_empty_band_is_filled_and_the_rest_stays(asr_narrowband: ModuleType) -> None:
    sound = narrow(hiss())
    level = asr_narrowband.noise_level(sound)
    filled = asr_narrowband.fill(sound, level)
    assert filled.dtype == np.int16
    assert filled.size == sound.size
    assert power_db(filled, 4_010, 8_000) - power_db(sound, 0, 4_000) == pytest.approx(-20, abs=1)
    added = filled.astype(np.float64) - sound
    assert power_db(added.astype(np.int16), 0, 3_900) < power_db(sound, 0, 3_900) - 50
    loudest = np.full(RATE, 32_767, np.int16)
    assert np.abs(asr_narrowband.fill(loudest, level).astype(int)).max() <= 32_768


def test_the_noise_goes_on_from_piece_to_piece(asr_narrowband: ModuleType) -> None:
    sound = narrow(hiss())
    pieces = [
        asr_narrowband.fill(sound[start : start + 12_345], 100.0, start)
        for start in range(0, sound.size, 12_345)
    ]
    assert (np.concatenate(pieces) == asr_narrowband.fill(sound, 100.0)).all()


def cepstra(filters: list[float]) -> list[float]:
    """As the recognizer's front end makes them of the filters' logarithms."""
    found = []
    for order in range(CEPSTRA):
        total = sum(
            value * math.cos(math.pi * order * (at + 0.5) / FILTERS)
            for at, value in enumerate(filters)
        )
        scale = math.sqrt((2.0 if order else 1.0) / FILTERS)
        found.append(total * scale * (1 + 11 * math.sin(math.pi * order / 22)))
    return found


def test_the_matrix_silences_the_filters_above_3700_hz(asr_narrowband: ModuleType) -> None:
    numbers = asr_narrowband.adaptation().split()
    assert numbers[:2] == ["1", "3"]
    streams = np.array(numbers[2:], float).reshape(3, 1 + CEPSTRA * (CEPSTRA + 2))
    assert (streams == streams[0]).all()
    matrix = streams[0, 1 : 1 + CEPSTRA**2].reshape(CEPSTRA, CEPSTRA)
    assert streams[0, 0] == CEPSTRA
    assert (streams[0, 1 + CEPSTRA**2 :] == [0] * CEPSTRA + [1.4] * CEPSTRA).all()
    # A smooth spectrum: what thirteen cepstra can tell.
    filters = [
        3 + 2 * math.cos(math.pi * (at + 0.5) / FILTERS) - math.cos(9 * math.pi * (at + 0.5) / 25)
        for at in range(FILTERS)
    ]
    heard = 19  # The centre of that one is at 3,446 Hz, of the next at 3,813 Hz.
    expected = cepstra(filters[:heard] + [0.0] * (FILTERS - heard))
    assert matrix @ cepstra(filters) == pytest.approx(expected, abs=1e-3)


def test_all_decoders_of_a_process_read_one_file(asr_narrowband: ModuleType) -> None:
    assert asr_narrowband.adaptation_file() == asr_narrowband.adaptation_file()
    assert Path(asr_narrowband.adaptation_file()).read_text() == asr_narrowband.adaptation()


def test_each_kind_of_sound_has_a_decoder_of_its_own(
    asr_decoder: ModuleType, asr_narrowband: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    class Decoder:
        """Keeps what it was made with, and what it heard."""

        def __init__(self, **options: object) -> None:
            mllr = options.get("mllr")
            self.adaptation = Path(str(mllr)).read_text() if mllr else None
            self.heard: list[bytes] = []
            made.append(self)

        def reinit_feat(self) -> None: ...

        def start_utt(self) -> None: ...

        def process_raw(self, pcm: bytes, *, full_utt: bool) -> None:
            assert full_utt
            self.heard.append(pcm)

        def end_utt(self) -> None: ...

        def hyp(self) -> None: ...

    monkeypatch.setitem(sys.modules, "pocketsphinx", SimpleNamespace(Decoder=Decoder))
    decoders = asr_decoder.Decoders()
    wide, telephone = hiss(), narrow(hiss())
    for sound in (wide, telephone, wide, telephone):
        assert decoders.decode(sound, 1, ()) == ([], [])
    plain, adapted = made
    assert (plain.adaptation, adapted.adaptation) == (None, asr_narrowband.adaptation())
    assert plain.heard[1:] == [wide.tobytes()] * 2  # After the noise of the start.
    filled = asr_narrowband.fill(telephone, asr_narrowband.noise_level(telephone))
    assert adapted.heard[1:] == [filled.tobytes()] * 2
