import io

import numpy as np
import pytest
import soundfile

from shared.audio.formats import ALIASES, AudioFormat, is_weak, sniff

WRITTEN = {
    AudioFormat.WAV: ("WAV", "PCM_16"),
    AudioFormat.FLAC: ("FLAC", "PCM_16"),
    AudioFormat.MP3: ("MP3", "MPEG_LAYER_III"),
    AudioFormat.OGG: ("OGG", "VORBIS"),
    AudioFormat.OPUS: ("OGG", "OPUS"),
}


def encoded(audio_format: AudioFormat, rate: int = 16_000) -> bytes:
    container, subtype = WRITTEN[audio_format]
    buffer = io.BytesIO()
    tone = (np.sin(np.arange(rate) / 10) * 8000).astype(np.int16)
    soundfile.write(buffer, tone, rate, format=container, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("audio_format", WRITTEN)
def test_content_shows_the_format(audio_format: AudioFormat) -> None:
    assert sniff(encoded(audio_format)) is audio_format


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x00\x00\x00\x20ftypM4A ", AudioFormat.MP4),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01", AudioFormat.WEBM),
        (b"\xff\xf1P\x80\x00\x1f\xfc", AudioFormat.AAC),
        (b"\xff\xf9\x60\x80\x00\x1f\xfc", AudioFormat.AAC),
    ],
)
def test_what_ffmpeg_reads(head: bytes, found: AudioFormat) -> None:
    assert sniff(head) is found


def test_an_mp3_with_a_tag_is_an_mp3() -> None:
    tagged = b"ID3\x04\x00\x00\x00\x00\x00\x00" + encoded(AudioFormat.MP3)
    assert sniff(tagged) is AudioFormat.MP3
    assert not is_weak(tagged, AudioFormat.MP3)
    assert is_weak(tagged[10:], AudioFormat.MP3)


@pytest.mark.parametrize("name", ["ULAW", "mu-law", "pcmu", "mulaw"])
def test_other_names(name: str) -> None:
    assert AudioFormat(name) is AudioFormat.MULAW
    assert AudioFormat("m4a") is AudioFormat.MP4
    assert set(ALIASES.values()) == set(AudioFormat)
    with pytest.raises(ValueError, match="valid"):
        AudioFormat("midi")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0AVI ",
        b"\xff\xff\xff\xff",
        b"\xff\xfb\xf0\x00",
        b"\xff\xfb\x0f\x00",
        b"\xff\xd8\xff\xe0 a jpeg",
        b"GIF89a",
        b"\x00" * 100,
        b"\xff\xf1\x7c\x80",
    ],
)
def test_other_content_is_unknown(content: bytes) -> None:
    assert sniff(content) is None
