"""Decoding in this process; the child that it runs in is tested with the pool."""

import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audio.contract import DecodeBounds
from shared.audio.formats import AudioFormat
from shared.audio.streams import DecodeFailure
from tests.support.decoding import Decoded, decode_bytes

BOUNDS = DecodeBounds(max_seconds=10.0, max_samples=10 * 96_000)


def tone(seconds: float = 1.0, rate: int = 16_000) -> Any:
    time = np.arange(int(seconds * rate)) / rate
    return (np.sin(2 * np.pi * 440 * time) * 12_000).astype(np.int16)


def encoded(samples: Any, rate: int, kind: str, subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def decoded(
    content: bytes, declared: AudioFormat | None = None, rate: int | None = None
) -> Decoded:
    outline, (pcm,) = decode_bytes(content, BOUNDS, declared, rate)
    return Decoded(pcm, outline.audio_format, outline.source_rate, outline.channels)


def refusal(content: bytes, **options: Any) -> str:
    with pytest.raises(DecodeFailure) as caught:
        decoded(content, **options)
    return caught.value.code


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_lossless_audio_at_the_target_rate_is_unchanged(kind: str) -> None:
    samples = tone()
    samples[:2] = [-32_768, 32_767]
    found = decoded(encoded(samples, 16_000, kind))
    assert np.array_equal(found.pcm, samples)
    assert (found.source_rate, found.channels) == (16_000, 1)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None), ("WAV", "FLOAT"), ("WAV", "ULAW")],
)
def test_other_codecs_keep_length_and_pitch(kind: str, subtype: str | None) -> None:
    found = decoded(encoded(tone(2.0), 16_000, kind, subtype)).pcm
    assert len(found) == pytest.approx(32_000, abs=1200)
    spectrum = np.abs(np.fft.rfft(found[4000:20_000].astype(float)))
    assert np.argmax(spectrum) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_comes_out_at_the_target(rate: int) -> None:
    found = decoded(encoded(tone(1.0, rate), rate, "WAV")).pcm
    assert len(found) == pytest.approx(16_000, abs=16)
    assert np.argmax(np.abs(np.fft.rfft(found.astype(float)))) == pytest.approx(440, abs=2)


def test_channels_are_averaged() -> None:
    samples = np.stack([tone(), np.zeros(16_000, np.int16)], 1)
    assert np.abs(decoded(encoded(samples, 16_000, "WAV")).pcm - tone() / 2).max() <= 1


def test_samples_that_are_no_numbers_become_silence() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 2.0, -2.0] * 1000, np.float32)
    found = decoded(encoded(samples, 16_000, "WAV", "FLOAT")).pcm
    assert list(found[:5]) == [0, 32_767, -32_768, 32_767, -32_768]


def test_an_mp3_without_a_length_is_decoded_whole() -> None:
    """Of variable bit rate, and stripped of the frame that says how long it is."""
    rng = np.random.default_rng(1)
    loud = (rng.normal(0, 6000, 32_000)).astype(np.int16)
    content = encoded(np.concatenate([loud, tone(2.0) // 100]), 16_000, "MP3")
    second = content.index(content[:2], 16)
    whole = len(decoded(content).pcm)
    assert len(decoded(content[second:]).pcm) == pytest.approx(whole, abs=3000)


def test_a_tag_before_an_mp3_is_skipped() -> None:
    content = encoded(tone(), 16_000, "MP3")
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 0]) + bytes(256)
    assert np.array_equal(decoded(tag + content).pcm, decoded(content).pcm)


class TestHeaderless:
    def test_it_needs_its_rate(self) -> None:
        content = tone().tobytes()
        assert refusal(content, declared=AudioFormat.PCM) == "sampling_rate_required"

    def test_it_is_taken_as_it_is(self) -> None:
        found = decoded(tone().tobytes(), AudioFormat.PCM, 16_000)
        assert np.array_equal(found.pcm, tone())

    def test_it_is_resampled(self) -> None:
        found = decoded(tone(1.0, 8_000).tobytes(), AudioFormat.PCM, 8_000)
        assert len(found.pcm) == pytest.approx(16_000, abs=16)

    def test_half_a_sample_is_missing(self) -> None:
        content = tone().tobytes()[:-1]
        assert refusal(content, declared=AudioFormat.PCM, rate=16_000) == "audio_truncated"

    def test_a_file_with_a_header_is_read_by_its_header(self) -> None:
        content = encoded(tone(1.0, 8_000), 8_000, "WAV")
        assert decoded(content, AudioFormat.PCM, 16_000).source_rate == 8_000

    def test_without_the_word_for_it_it_is_no_audio(self) -> None:
        assert refusal(tone().tobytes()) == "not_audio"

    @pytest.mark.parametrize(
        ("rate", "code"), [(1, "unsupported_sample_rate"), (8_000, "audio_too_long")]
    )
    def test_its_bounds(self, rate: int, code: str) -> None:
        content = bytes(2 * 8_000 * 11)
        assert refusal(content, declared=AudioFormat.PCM, rate=rate) == code


class TestLengths:
    def test_too_long_by_its_header(self) -> None:
        assert refusal(encoded(tone(11.0), 16_000, "FLAC")) == "audio_too_long"

    @pytest.mark.parametrize("kind", ["OGG", "MP3"])
    def test_too_long_by_count(self, kind: str) -> None:
        assert refusal(encoded(tone(11.0), 16_000, kind)) == "audio_too_long"

    def test_all_channels_together_are_bounded(self) -> None:
        samples = np.zeros((9 * 16_000, 8), np.int16)
        assert refusal(encoded(samples, 16_000, "WAV")) == "audio_too_long"

    @pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
    def test_a_streamed_wav_is_what_is_there(self, size: int) -> None:
        content = encoded(tone(), 16_000, "WAV")
        at = content.index(b"data") + 4
        streamed = content[:at] + struct.pack("<I", size) + content[at + 4 :]
        assert np.array_equal(decoded(streamed).pcm, tone())

    def test_a_wav_with_a_chunk_before_its_data(self) -> None:
        content = encoded(tone(), 16_000, "WAV")
        at = content.index(b"data")
        extra = b"LIST" + struct.pack("<I", 5) + b"hello\0"
        assert np.array_equal(decoded(content[:at] + extra + content[at:]).pcm, tone())

    def test_a_flac_of_unknown_length(self) -> None:
        content = encoded(tone(), 16_000, "FLAC")
        packed = int.from_bytes(content[18:26], "big") >> 36 << 36
        unknown = content[:18] + packed.to_bytes(8, "big") + content[26:]
        assert np.array_equal(decoded(unknown).pcm, tone())
        assert refusal(unknown[: len(unknown) // 2]) == "audio_truncated"


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_cut_is_a_refusal_or_a_shorter_audio(kind: str, data: st.DataObject) -> None:
    content = WHOLE[kind]
    cut = data.draw(st.integers(0, len(content) - 1))
    try:
        found = decoded(content[:cut])
    except DecodeFailure:
        return
    # An mp3 of constant bit rate is no file but a stream: its last bytes may be missing.
    assert kind == "MP3" or cut >= len(content) - 8
    assert 0 < len(found.pcm) <= 32_000


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_damage_is_a_refusal_or_bounded_audio(kind: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(len(content) - 1, 400)))] = data.draw(
            st.integers(0, 255)
        )
    try:
        found = decoded(bytes(content))
    except DecodeFailure:
        return
    assert 0 < len(found.pcm) <= BOUNDS.max_seconds * BOUNDS.target_rate + 1000


@given(content=st.binary(max_size=2000), magic=st.sampled_from([b"RIFF1234WAVE", b"fLaC", b"OggS"]))
@settings(max_examples=200, deadline=None)
def test_noise_behind_a_magic_number_is_refused(content: bytes, magic: bytes) -> None:
    assert refusal(magic + content) in {
        "not_audio",
        "audio_truncated",
        "empty_audio",
        "audio_too_long",
        "too_many_channels",
        "unsupported_sample_rate",
        "audio_header_mismatch",
    }


WHOLE = {
    "WAV": encoded(tone(2.0), 16_000, "WAV"),
    "FLAC": encoded(tone(2.0), 16_000, "FLAC"),
    "OGG": encoded(tone(2.0), 16_000, "OGG"),
    "MP3": encoded(tone(2.0), 16_000, "MP3"),
}
