"""mp4, m4a, aac and webm: by PyAV, where it is installed."""

import sys
from typing import Any

import numpy as np
import pytest

from shared.audio.contract import DecodeBounds
from shared.audio.errors import refusal
from shared.audio.formats import AudioFormat
from shared.audio.streams import DecodeFailure
from tests.support.decoding import decode_bytes
from tests.support.media_files import KINDS, media

BOUNDS = DecodeBounds(max_seconds=10.0, max_samples=10 * 96_000)
RATE = 48_000
FORMATS = {
    "m4a": AudioFormat.MP4,
    "fragmented mp4": AudioFormat.MP4,
    "aac": AudioFormat.AAC,
    "webm": AudioFormat.WEBM,
    "mp4 with mp3": AudioFormat.MP4,
    "mkv with pcm": AudioFormat.WEBM,
}


def tone(pitch: float, seconds: float = 2.0) -> Any:
    time = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * pitch * time) * 12_000).astype(np.int16)


def pitch_of(track: Any) -> float:
    part = track[4000:20_000].astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(part))))


class TestWithPyAV:
    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        pytest.importorskip("av", reason="the extra `media` is not installed")

    @pytest.mark.parametrize("kind", KINDS)
    def test_length_and_pitch_are_kept(self, kind: str) -> None:
        outline, (track,) = decode_bytes(media(tone(440), RATE, kind), BOUNDS)
        assert (outline.audio_format, outline.source_rate) == (FORMATS[kind], RATE)
        assert len(track) == pytest.approx(32_000, abs=1600)
        assert pitch_of(track) == pytest.approx(440, abs=2)
        assert np.abs(track[8000:24_000]).max() == pytest.approx(12_000, rel=0.1)

    @pytest.mark.parametrize("kind", ["m4a", "webm", "mkv with pcm"])
    def test_channels_are_kept_apart(self, kind: str) -> None:
        content = media(np.stack([tone(440), tone(880)], 1), RATE, kind)
        outline, tracks = decode_bytes(content, BOUNDS, separate=True)
        assert (outline.channels, outline.tracks) == (2, 2)
        assert [pitch_of(one) for one in tracks] == pytest.approx([440, 880], abs=2)

    @pytest.mark.parametrize("kind", KINDS)
    def test_too_long_by_count_or_claim(self, kind: str) -> None:
        with pytest.raises(DecodeFailure, match="audio_too_long"):
            decode_bytes(media(tone(440, 11.0), RATE, kind), BOUNDS)

    @pytest.mark.parametrize("kind", ["m4a", "mp4 with mp3", "webm", "mkv with pcm"])
    def test_a_cut_file_is_refused(self, kind: str) -> None:
        content = media(tone(440), RATE, kind)
        for share in (0.02, 0.3, 0.6, 0.95):
            with pytest.raises(DecodeFailure, match=r"not_audio|audio_truncated|decode_failed"):
                decode_bytes(content[: int(len(content) * share)], BOUNDS)

    def test_a_stream_that_is_cut_is_shorter(self) -> None:
        content = media(tone(440), RATE, "aac")
        cut = content.index(content[:2], len(content) // 2)
        _, (track,) = decode_bytes(content[:cut], BOUNDS)
        assert 12_000 < len(track) < 20_000

    def test_a_file_that_names_others_reads_none(self, tmp_path: Any) -> None:
        """FFmpeg would follow playlists; only the demuxer of the sniffed format is used."""
        secret = tmp_path / "secret.wav"
        secret.write_bytes(b"RIFF")
        playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode()
        for head in (b"\0\0\0\x14ftypM4A \0\0\0\0", b"\x1aE\xdf\xa3", b"\xff\xf1P\x80"):
            with pytest.raises(DecodeFailure, match=r"not_audio|audio_truncated"):
                decode_bytes(head + playlist, BOUNDS)

    def test_a_film_without_sound(self) -> None:
        content = b"\0\0\0\x14ftypisom\0\0\0\0isom" + b"\0\0\0\x08moov"
        with pytest.raises(DecodeFailure, match="not_audio"):
            decode_bytes(content, BOUNDS)


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0\x14ftypM4A \0\0\0\0", b"\x1aE\xdf\xa3\x80", b"\xff\xf1P\x80\x00\x1f\xfc"],
    ids=["mp4", "webm", "aac"],
)
def test_without_pyav_they_are_refused_by_name(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DecodeFailure, match="unsupported_audio_format") as caught:
        decode_bytes(content, BOUNDS)
    told = refusal(caught.value.code)
    assert (told.status, told.code) == (415, "unsupported_audio_format")
    assert "speechgate[media]" in told.detail
