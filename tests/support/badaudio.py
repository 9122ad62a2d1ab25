"""Audio that lies, explodes or is simply not audio; each made on the spot."""

import base64
import io
import struct

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.support.recordings import recordings


def speech_wav() -> bytes:
    """Three seconds of honest speech."""
    return recordings()[4].path.read_bytes()


def encoded(samples: NDArray[np.int16], rate: int, kind: str) -> bytes:
    """The samples ([T] or [T, C]) in a container that soundfile writes."""
    buffer = io.BytesIO()
    # libsndfile garbles 16-bit stereo that it is to write as mp3; floats it writes well.
    soundfile.write(buffer, samples.astype(np.float32) / 32_768, rate, format=kind)
    return buffer.getvalue()


def truncated_wav() -> bytes:
    """A WAV file whose second half was lost."""
    whole = speech_wav()
    return whole[: len(whole) // 2]


def wav_header(*, rate: int, channels: int, data_bytes: int) -> bytes:
    """A 16-bit PCM header that claims what it is told to."""
    block = channels * 2
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", min(36 + data_bytes, 0xFFFFFFF0), b"WAVE")
        + head
        + struct.pack("<4sI", b"data", data_bytes)
    )


def ten_hour_wav() -> bytes:
    """A header that claims ten hours over a second of sound."""
    return wav_header(rate=16_000, channels=1, data_bytes=10 * 3600 * 32_000) + bytes(32_000)


def one_hertz_wav() -> bytes:
    """One sample a second."""
    return wav_header(rate=1, channels=1, data_bytes=200) + bytes(200)


def twelve_channel_wav() -> bytes:
    """More channels than are taken."""
    return encoded(np.zeros((16_000, 12), dtype=np.int16), 16_000, "WAV")


def lying_flac() -> bytes:
    """A FLAC stream whose header claims 2^36 - 1 samples."""
    content = bytearray(encoded(recordings()[4].samples(), 16_000, "FLAC"))
    # STREAMINFO follows the 4-byte marker and 4-byte block header; the sample count is 36 bits
    # from byte 13 of the block on.
    start = 8 + 13
    content[start] |= 0x0F
    content[start + 1 : start + 5] = b"\xff\xff\xff\xff"
    return bytes(content)


def flac_bomb() -> bytes:
    """Half an hour of silence on eight channels: it expands about two thousand times."""
    buffer = io.BytesIO()
    block = np.zeros((48_000 * 10, 8), dtype=np.int16)
    with soundfile.SoundFile(buffer, "w", 48_000, 8, subtype="PCM_16", format="FLAC") as file:
        for _ in range(180):
            file.write(block)
    return buffer.getvalue()


def asr_document(audio: bytes, *, language: str = "en", kind: str = "wav") -> dict[str, object]:
    """A ULCA recognition request."""
    return {
        "audio": [{"audioContent": base64.b64encode(audio).decode()}],
        "config": {"language": {"sourceLanguage": language}, "audioFormat": kind},
    }
