import gc
import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from shared.audio import encode_stream
from shared.audio.byte_sink import ByteSink
from shared.audio.encode import CODECS, OutputFormat, available_formats, holds_rate, resample
from shared.audio.encode_media import has_media
from shared.audio.encode_stream import encode_audio, open_encoder, to_pcm16
from shared.audio.resample_stream import StreamResampler
from tests.unit.shared.audio.test_encode import tone

RATES = (8_000, 16_000, 22_050, 24_000, 48_000)
CASES = [(form, rate) for form in OutputFormat for rate in RATES if holds_rate(form, rate)]
WRITERS = ("libsndfile", "PyAV")


def streamed(form: OutputFormat, rate: int, samples: np.ndarray, block: int) -> list[bytes]:
    encoder = open_encoder(form, rate)
    parts = [
        encoder.feed(samples[start : start + block]) for start in range(0, len(samples), block)
    ]
    parts.append(encoder.finish())
    assert encoder.size == sum(map(len, parts))
    return parts


def read(content: bytes, form: OutputFormat, rate: int) -> tuple[np.ndarray, int]:
    """All samples, as a reader that does not know their number finds them."""
    if form is OutputFormat.PCM:
        return np.frombuffer(content, "<i2") / np.float32(32767), rate
    if form in (OutputFormat.AAC, OutputFormat.FLAC):
        # libsndfile reads no AAC, and no FLAC that does not state its length.
        av = pytest.importorskip("av")
        with av.open(io.BytesIO(content)) as file:
            found = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
            scale = np.float32(32767 if found.dtype.kind == "i" else 1)
            return found / scale, file.streams.audio[0].rate
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.format, file.subtype) == (CODECS[form].container, CODECS[form].subtype)
        blocks = []
        while len(block := file.read(65_536, dtype="float32")):
            blocks.append(block)
        return np.concatenate(blocks), file.samplerate


@pytest.mark.parametrize(("form", "rate"), CASES)
def test_every_format_leaves_as_it_is_made(form: OutputFormat, rate: int) -> None:
    if form not in available_formats():
        pytest.skip("PyAV is not installed")
    samples = tone(rate, 3.0)
    parts = streamed(form, rate, samples, rate // 10)
    # Something is there before half of the sound is known.
    assert sum(map(len, parts[: len(parts) // 2])) > 500
    found, found_rate = read(b"".join(parts), form, rate)
    assert found_rate == rate
    # Coders of frames pad the first and the last.
    assert len(found) == pytest.approx(3 * rate, abs=4 * 1152)
    spectrum = np.abs(np.fft.rfft(found))
    assert np.argmax(spectrum) * rate / len(found) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("form", [OutputFormat.WAV, OutputFormat.FLAC, OutputFormat.PCM])
def test_streamed_is_the_same_as_whole(form: OutputFormat) -> None:
    samples = tone(16_000, 2.0)
    whole, _ = read(encode_audio(samples, 16_000, form), form, 16_000)
    found, _ = read(b"".join(streamed(form, 16_000, samples, 777)), form, 16_000)
    assert np.array_equal(whole, found)


@pytest.mark.parametrize("form", [OutputFormat.WAV, OutputFormat.FLAC, OutputFormat.MP3])
def test_a_whole_file_states_its_length(form: OutputFormat) -> None:
    encoder = open_encoder(form, 24_000, whole=True)
    assert encoder.feed(tone(24_000)) == b""
    assert encoder.feed(tone(24_000)) == b""
    found = soundfile.info(io.BytesIO(encoder.finish()))
    assert found.duration == pytest.approx(2.0, abs=0.1)


def test_a_streamed_wav_says_that_its_length_is_unknown() -> None:
    content = b"".join(streamed(OutputFormat.WAV, 8_000, tone(8_000), 800))
    assert struct.unpack_from("<4sI4s", content) == (b"RIFF", 0xFFFFFFFF, b"WAVE")
    assert struct.unpack_from("<4sI", content, 36) == (b"data", 0xFFFFFFFF)
    assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(1.0)


def test_no_sound_is_an_empty_file() -> None:
    encoder = open_encoder(OutputFormat.WAV, 8_000)
    assert len(encoder.finish()) == 44


def test_loud_samples_are_clipped_not_wrapped() -> None:
    given = np.array([2.0, -2.0, 1.0, 0.0], np.float32)
    assert to_pcm16(given).tolist() == [32767, -32767, 32767, 0]
    assert given.tolist() == [2.0, -2.0, 1.0, 0.0]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("form", [OutputFormat.OPUS, OutputFormat.MP3])
@pytest.mark.parametrize("whole", [True, False])
def test_either_writer(
    writer: str, form: OutputFormat, *, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if writer == "PyAV":
        pytest.importorskip("av")
    monkeypatch.setattr(encode_stream, "has_media", lambda: writer == "PyAV")
    samples = tone(24_000, 3.0)
    if whole:
        content = encode_audio(samples, 24_000, form)
    else:
        content = b"".join(streamed(form, 24_000, samples, 6_000))
    found, rate = read(content, form, 24_000)
    assert rate == 24_000
    slack = 960 if form is OutputFormat.OPUS else 4 * 576
    assert len(found) == pytest.approx(3 * 24_000, abs=slack)
    assert soundfile.info(io.BytesIO(content)).duration == pytest.approx(3, abs=slack / 24_000)


def test_formats_that_need_what_is_not_installed_are_not_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (OutputFormat.AAC in available_formats()) is has_media()
    monkeypatch.setattr("shared.audio.encode.has_media", lambda: False)
    assert OutputFormat.AAC not in available_formats()
    assert OutputFormat.OPUS in available_formats()


@pytest.mark.parametrize("block", [1, 500, 22_050])
@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 48_000])
def test_resampling_by_blocks_is_resampling(block: int, rate: int) -> None:
    samples = tone(22_050, 0.5)
    stream = StreamResampler(22_050, rate)
    parts = [stream.feed(samples[start : start + block]) for start in range(0, len(samples), block)]
    found = np.concatenate([*parts, stream.finish()])
    expected = resample(samples, 22_050, rate)
    assert len(found) == pytest.approx(len(expected), abs=2)
    length = min(len(found), len(expected))
    assert np.abs(found[:length] - expected[:length]).max() < 1e-3


def test_a_sink_forgets_what_was_taken() -> None:
    sink = ByteSink()
    sink.write(b"head")
    assert sink.take() == b"head"
    sink.write(b"body")
    sink.seek(2)
    sink.write(b"XYZ")
    assert (sink.tell(), sink.size) == (5, 8)
    sink.seek(0, os.SEEK_END)
    sink.write(b"!")
    assert sink.take() == b"Zody!"
    assert sink.take() == b""


@pytest.mark.parametrize("form", available_formats())
def test_an_encoder_that_is_given_up_keeps_no_threads(form: OutputFormat) -> None:
    def threads() -> int:
        return len(list(Path("/proc/self/task").iterdir()))

    gc.collect()
    gc.disable()  # Which would find them at some time.
    try:
        encode_audio(tone(24_000, 0.1), 24_000, form)
        before = threads()
        for _ in range(3):
            encoder = open_encoder(form, 24_000)
            encoder.feed(tone(24_000, 0.5))
            encoder.close()
        del encoder
        open_encoder(form, 24_000).close()
        assert threads() <= before
    finally:
        gc.enable()
