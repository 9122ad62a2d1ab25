"""What an audio file's header claims, and the same file prepared for sequential decoding.

Headers lie, so a claim only ever shortens work: it may refuse a file early, never grant it memory
or time. The decoder counts what really comes out and compares.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from shared.audio.formats import AudioFormat

# "Length unknown" as streaming writers put it into a WAV header (ffmpeg, sox, arecord, …).
_STREAMING_SIZES = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF})
_MAX_WAV_CHUNKS = 256
_UNCOMPRESSED_TAGS = frozenset({1, 3, 0xFFFE})
_FLAC_TOTAL_MASK = (1 << 36) - 1
_OGG_HEADER = 27
_MPEG_HEADER_SEARCH = 4096
_MIN_FMT_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Container:
    """A file as the decoder takes it.

    Attributes:
        content: The file; its length field may be replaced by "unknown", so that decoding ends
            where the data end.
        claimed_frames: Sample frames that the header promises; None where it promises none.
        exact: Whether more frames than claimed are a lie (else they are ignored or normal).
        truncated: Whether the file ends before its own structure does.
        tolerance: Share of the claimed frames that may be missing without harm.
    """

    content: bytes
    claimed_frames: int | None = None
    exact: bool = False
    truncated: bool = False
    tolerance: float = 0.0


def inspect(content: bytes, audio_format: AudioFormat) -> Container:
    """Read the claims of a file whose format `sniff` found."""
    if audio_format is AudioFormat.WAV:
        return _wav(content)
    if audio_format is AudioFormat.FLAC:
        return _flac(content)
    if audio_format is AudioFormat.MP3:
        return _mp3(content)
    return _ogg(content)


def _wav_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The (id, offset of the body, size) of each chunk, as far as there are headers."""
    offset = 12
    for _ in range(_MAX_WAV_CHUNKS):
        if offset + 8 > len(content):
            return
        name, size = struct.unpack_from("<4sI", content, offset)
        yield name, offset + 8, size
        offset += 8 + size + size % 2


def _wav(content: bytes) -> Container:
    block_align, tag = 0, 0
    for name, body, size in _wav_chunks(content):
        if name == b"fmt " and len(content) - body >= _MIN_FMT_CHUNK:
            tag, block_align = struct.unpack_from("<H10xH", content, body)
        if name != b"data":
            continue
        if size in _STREAMING_SIZES:
            return Container(content[: body - 4] + b"\xff\xff\xff\xff" + content[body:])
        missing = size - (len(content) - body)
        # Only in uncompressed audio does a block hold one frame.
        claimed = size // block_align if block_align and tag in _UNCOMPRESSED_TAGS else None
        return Container(content, claimed, truncated=missing > max(block_align, 1))
    return Container(content, truncated=True)


def _flac(content: bytes) -> Container:
    """STREAMINFO (RFC 9639, 8.2) comes first; its last 36 bits before the MD5 are the frames."""
    packed = content[18:26]
    if len(packed) < 8 or content[4] & 0x7F:  # noqa: PLR2004 - eight bytes hold the field
        return Container(content, truncated=True)
    value = int.from_bytes(packed, "big")
    unknown = (value & ~_FLAC_TOTAL_MASK).to_bytes(8, "big")
    claimed = value & _FLAC_TOTAL_MASK
    return Container(content[:18] + unknown + content[26:], claimed or None, exact=True)


def _mp3(content: bytes) -> Container:
    audio = content[_id3_size(content) :]
    head = audio[:_MPEG_HEADER_SEARCH]
    # Without a Xing/Info frame the length is the decoder's guess from the first bit rate.
    promised = b"Xing" in head or b"Info" in head
    return Container(audio, 0 if promised else None, tolerance=0.02)


def _id3_size(content: bytes) -> int:
    """Bytes of the ID3v2 tags in front (the size is 4 × 7 bits)."""
    start = 0
    while content[start : start + 3] == b"ID3" and len(content) >= start + 10:
        size = 0
        for byte in content[start + 6 : start + 10]:
            size = size << 7 | byte & 0x7F
        start += 10 + size
    return start


def _ogg(content: bytes) -> Container:
    """The last page must be whole (RFC 3533, 6): a cut file ends inside one."""
    start = content.rfind(b"OggS")
    if len(content) < start + _OGG_HEADER:
        return Container(content, truncated=True)
    segments = content[start + 26]
    lacing = content[start + _OGG_HEADER : start + _OGG_HEADER + segments]
    end = start + _OGG_HEADER + segments + sum(lacing)
    return Container(content, truncated=len(lacing) < segments or end > len(content))
