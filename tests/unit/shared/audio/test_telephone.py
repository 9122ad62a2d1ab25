"""G.711, 8 kHz, and every subtype of wav."""

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from shared.audio.contract import DecodeBounds
from shared.audio.formats import AudioFormat
from shared.audio.g711 import TABLES
from shared.audio.streams import DecodeFailure
from tests.support.decoding import decode_bytes

BOUNDS = DecodeBounds(max_seconds=10.0, max_samples=10 * 96_000)
RATE = 8_000
LAWS = {AudioFormat.MULAW: "ULAW", AudioFormat.ALAW: "ALAW"}
# Coarse codecs: 4 bits a sample and fewer.
LEAST_CORRELATION = {"IMA_ADPCM": 0.99, "MS_ADPCM": 0.99, "GSM610": 0.9}


def tone(seconds: float = 1.0, rate: int = RATE) -> Any:
    time = np.arange(int(seconds * rate)) / rate
    return (np.sin(2 * np.pi * 440 * time) * 12_000).astype(np.int16)


def raw(samples: Any, law: AudioFormat) -> bytes:
    """The bytes of headerless G.711, by libsndfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="RAW", subtype=LAWS[law])
    return buffer.getvalue()


@pytest.mark.parametrize("law", LAWS)
def test_the_tables_are_libsndfiles(law: AudioFormat) -> None:
    codes = bytes(range(256))
    found, _ = soundfile.read(
        io.BytesIO(codes), format="RAW", subtype=LAWS[law], channels=1, samplerate=RATE
    )
    assert np.array_equal(TABLES[law], found.astype(np.float32))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("rate", [None, 8_000, 16_000])
def test_headerless(law: AudioFormat, rate: int | None) -> None:
    outline, (track,) = decode_bytes(raw(tone(), law), BOUNDS, law, rate)
    assert (outline.audio_format, outline.source_rate) == (law, rate or RATE)
    assert len(track) == pytest.approx(8_000 * 16_000 / (rate or RATE), abs=16)


def test_the_same_in_a_wav() -> None:
    for law, subtype in LAWS.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, tone(), RATE, format="WAV", subtype=subtype)
        _, (inside,) = decode_bytes(buffer.getvalue(), BOUNDS)
        _, (bare,) = decode_bytes(raw(tone(), law), BOUNDS, law)
        assert np.array_equal(inside, bare)


def test_quiet_bytes_that_look_like_an_mp3_are_what_their_sender_says() -> None:
    head = b"\xff\xfb\x79\x7d" * 2000
    outline, _ = decode_bytes(head, BOUNDS, AudioFormat.MULAW)
    assert outline.audio_format is AudioFormat.MULAW
    outline, _ = decode_bytes(head, BOUNDS, AudioFormat.PCM, 16_000)
    assert outline.audio_format is AudioFormat.PCM


def test_a_file_with_a_header_is_read_by_its_header() -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(), RATE, format="FLAC")
    outline, _ = decode_bytes(buffer.getvalue(), BOUNDS, AudioFormat.ALAW)
    assert outline.audio_format is AudioFormat.FLAC


@pytest.mark.parametrize("law", LAWS)
def test_its_bounds(law: AudioFormat) -> None:
    with pytest.raises(DecodeFailure, match="audio_too_long"):
        decode_bytes(bytes(RATE * 11), BOUNDS, law)
    with pytest.raises(DecodeFailure, match="unsupported_sample_rate"):
        decode_bytes(bytes(RATE), BOUNDS, law, 1)


# All that libsndfile writes; mp3 in wav it lists, but neither writes nor needs to read.
WAVS = [
    (container, subtype)
    for container in ("WAV", "WAVEX")
    for subtype in sorted(soundfile.available_subtypes("WAV"))
    if soundfile.check_format(container, subtype) and subtype != "MPEG_LAYER_III"
]


@pytest.mark.parametrize(("container", "subtype"), WAVS)
def test_every_wav_subtype(container: str, subtype: str) -> None:
    rate = RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(2.0, rate) / 32_768, rate, format=container, subtype=subtype)
    _, (track,) = decode_bytes(buffer.getvalue(), BOUNDS)
    assert len(track) == pytest.approx(32_000, abs=3000)
    exact = decode_bytes(tone(2.0, rate).tobytes(), BOUNDS, AudioFormat.PCM, rate)[1][0]
    both = min(len(track), len(exact))
    correlation = np.corrcoef(track[:both], exact[:both])[0, 1]
    assert correlation > LEAST_CORRELATION.get(subtype, 0.995)
