"""Kept audio: any span comes back as it was, whichever pieces it lies in."""

import io

import numpy as np
import pytest
import soundfile

from services.asr.models.audio import SAMPLE_RATE
from services.asr.services.recording_audio import (
    PIECE,
    Float,
    decode_pieces,
    encode_piece,
    floats,
    joined,
    pieces_in,
    written,
)
from shared.audio.encode import OutputFormat
from shared.crypto.chunks import MAX_CHUNK_BYTES
from tests.support.recordings import recordings

SPEECH = np.concatenate([one.samples() for one in recordings()])


def kept(pcm: np.ndarray) -> list[bytes]:
    return [encode_piece([pcm], index) for index in range(pieces_in(len(pcm)))]


def similarity(one: Float, other: Float) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def test_every_span_of_speech_comes_back_at_its_place() -> None:
    pieces = kept(SPEECH)
    original = floats(SPEECH)
    for start, end in (
        (0, SAMPLE_RATE),
        (PIECE - 800, PIECE + 800),
        (PIECE, 2 * PIECE),
        (3 * PIECE - 1, 3 * PIECE + 8_000),
        (0, len(SPEECH)),
        (len(SPEECH) - SAMPLE_RATE, len(SPEECH)),
    ):
        first, last = start // PIECE, (end - 1) // PIECE
        found = decode_pieces(pieces[first : last + 1], first, start, end)
        assert len(found) == end - start
        assert similarity(found, original[start:end]) > 0.9


def test_pieces_follow_each_other_without_a_click() -> None:
    """The error around the seams is no larger than elsewhere in the same speech."""
    pieces = kept(SPEECH)
    error = np.square(decode_pieces(pieces, 0, 0, len(SPEECH)) - floats(SPEECH))
    near = [
        error[seam - 160 : seam + 160].mean() / max(error[seam - 4000 : seam + 4000].mean(), 1e-9)
        for seam in range(PIECE, len(SPEECH) - 4000, PIECE)
    ]
    assert len(near) >= 3
    assert max(near) < 8


def test_pieces_are_small_whatever_is_in_them() -> None:
    noise = np.random.default_rng(1).integers(-30_000, 30_000, 2 * PIECE).astype(np.int16)
    bursts = np.where(np.arange(2 * PIECE) % 256 < 90, noise, 0).astype(np.int16)
    for pcm in (noise, bursts):
        assert max(map(len, kept(pcm))) <= 0.9 * MAX_CHUNK_BYTES
    assert sum(map(len, kept(SPEECH))) < len(SPEECH) * 2 / 4


@pytest.mark.parametrize("length", [1, 10, 399, PIECE - 1, PIECE, PIECE + 1])
def test_lengths_are_kept_to_the_sample(length: int) -> None:
    pieces = kept(SPEECH[:length])
    assert len(pieces) == pieces_in(length)
    assert len(decode_pieces(pieces, 0, 0, length)) == length


def test_channels_are_mixed() -> None:
    left, right = np.full(SAMPLE_RATE, 8_000, np.int16), np.full(SAMPLE_RATE, -8_000, np.int16)
    piece = encode_piece([left, right], 0)
    assert np.abs(decode_pieces([piece], 0, 0, SAMPLE_RATE)).max() < 0.01


def test_what_is_spoken_the_pause_and_the_clip_are_one() -> None:
    spoken, clip = np.full(100, 0.5, np.float32), np.full(SAMPLE_RATE, 0.25, np.float32)
    whole = joined(spoken, clip, 0.5)
    assert len(whole) == 100 + SAMPLE_RATE // 2 + SAMPLE_RATE
    assert (whole[:100] == 0.5).all()
    assert not whole[100 : 100 + SAMPLE_RATE // 2].any()
    heard = whole[100 + SAMPLE_RATE // 2 :]
    assert heard[0] == heard[-1] == 0  # Faded: a cut would click.
    assert (heard[200:-200] == 0.25).all()
    assert len(joined(spoken, clip[:1], 0)) == 101


@pytest.mark.parametrize("kind", [one for one in OutputFormat if one.value != "aac"])
def test_it_is_written_in_every_format(kind: OutputFormat) -> None:
    samples = floats(SPEECH[:SAMPLE_RATE])
    content, chosen = written(samples, kind, 24_000)
    assert chosen == 24_000
    if kind is OutputFormat.PCM:
        assert len(content) == 24_000 * 2
        return
    found, rate = soundfile.read(io.BytesIO(content))
    assert rate == 24_000
    assert len(found) == pytest.approx(24_000, abs=3_000)  # mp3 pads.
