import io

import numpy as np
import pytest
import soundfile

from shared.audio.formats import (
    MEDIA_TYPES,
    SOUNDFILE_NAMES,
    AudioFormat,
    sniff,
    writable_rate,
)


def encoded(audio_format: AudioFormat, rate: int = 16_000) -> bytes:
    container, subtype = SOUNDFILE_NAMES[audio_format]
    buffer = io.BytesIO()
    tone = (np.sin(np.arange(rate) / 10) * 8000).astype(np.int16)
    soundfile.write(buffer, tone, rate, format=container, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("audio_format", [one for one in AudioFormat if one is not AudioFormat.PCM])
def test_content_shows_the_format(audio_format: AudioFormat) -> None:
    assert sniff(encoded(audio_format)) is audio_format


def test_an_mp3_with_a_tag_is_an_mp3() -> None:
    assert sniff(b"ID3\x04\x00\x00\x00\x00\x00\x00" + encoded(AudioFormat.MP3)) is AudioFormat.MP3


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
    ],
)
def test_other_content_is_unknown(content: bytes) -> None:
    assert sniff(content) is None


def test_every_format_has_a_media_type_and_a_name() -> None:
    assert set(MEDIA_TYPES) == set(SOUNDFILE_NAMES) == set(AudioFormat)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("audio_format", [AudioFormat.MP3, AudioFormat.OPUS])
def test_a_writable_rate_can_be_written(audio_format: AudioFormat, rate: int) -> None:
    chosen = writable_rate(audio_format, rate)
    assert chosen >= min(rate, 48_000)
    assert len(encoded(audio_format, chosen)) > 100


def test_lossless_formats_keep_the_rate() -> None:
    assert writable_rate(AudioFormat.WAV, 12_345) == 12_345
