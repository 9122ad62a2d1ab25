import io

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from shared.audio.encode import CODECS, OutputFormat, best_rate, holds_rate, resample
from shared.audio.encode_stream import encode_audio

RATES = (8_000, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000)
# AAC is read by another library: see test_encode_stream.py.
FORMS = [form for form in OutputFormat if form is not OutputFormat.AAC]
CASES = [(form, rate) for form in FORMS for rate in RATES if holds_rate(form, rate)]


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(
        np.float32
    )


def decode(data: bytes, form: OutputFormat, rate: int) -> tuple[NDArray[np.float32], int]:
    if form is OutputFormat.PCM:
        return np.frombuffer(data, "<i2").astype(np.float32) / 32767, rate
    return soundfile.read(io.BytesIO(data), dtype="float32")


@pytest.mark.parametrize(("form", "rate"), CASES)
def test_every_format_holds_the_tone(form: OutputFormat, rate: int) -> None:
    data = encode_audio(tone(rate), rate, form)
    if form is not OutputFormat.PCM:
        found = soundfile.info(io.BytesIO(data))
        assert (found.format, found.subtype) == (CODECS[form].container, CODECS[form].subtype)
        assert found.channels == 1
    samples, decoded_rate = decode(data, form, rate)
    assert decoded_rate == rate
    assert len(samples) == pytest.approx(rate, rel=0.01)
    spectrum = np.abs(np.fft.rfft(samples))
    loudest = np.argmax(spectrum) * rate / len(samples)
    assert loudest == pytest.approx(440, abs=3)


def test_loud_samples_are_clipped_not_wrapped() -> None:
    data = encode_audio(np.array([2.0, -2.0, 1.0], np.float32), 8_000, OutputFormat.PCM)
    assert np.frombuffer(data, "<i2").tolist() == [32767, -32767, 32767]


def test_long_vorbis() -> None:
    data = encode_audio(tone(8_000, 300.0), 8_000, OutputFormat.OGG)
    assert soundfile.info(io.BytesIO(data)).duration == pytest.approx(300, abs=0.01)


@pytest.mark.parametrize(
    ("form", "rate", "best"),
    [
        (OutputFormat.OPUS, 22_050, 24_000),
        (OutputFormat.MP3, 22_050, 22_050),
        (OutputFormat.WAV, 11_111, 11_111),
        (OutputFormat.MP3, 47_999, 48_000),
    ],
)
def test_best_rate(form: OutputFormat, rate: int, best: int) -> None:
    assert best_rate(form, rate) == best


@pytest.mark.parametrize(
    ("form", "rate"),
    [(OutputFormat.OPUS, 22_050), (OutputFormat.WAV, 7_999), (OutputFormat.WAV, 48_001)],
)
def test_a_rate_that_does_not_fit_is_refused(form: OutputFormat, rate: int) -> None:
    assert not holds_rate(form, rate)
    with pytest.raises(ValueError, match="cannot hold"):
        encode_audio(tone(8_000), rate, form)


def test_resampling_keeps_the_pitch_and_the_length() -> None:
    samples = resample(tone(22_050), 22_050, 16_000)
    assert len(samples) == pytest.approx(16_000, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pytest.approx(440, abs=2)
    assert resample(samples, 16_000, 16_000) is samples
