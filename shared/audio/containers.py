"""What an audio file's header claims, and the same file prepared for sequential decoding.

Headers lie, so a claim only ever shortens work: it may refuse a file early, never grant it memory
or time. The decoder counts what really comes out and compares.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from shared.audio.formats import AudioFormat
from shared.audio.view import FileView

# "Length unknown" as streaming writers put it into a WAV header (ffmpeg, sox, arecord, …).
_STREAMING_SIZES = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF})
_MAX_CHUNKS = 256
# PCM, float, A-law, µ-law, and the extended header, whose subtype may be any of them.
_ONE_FRAME_A_BLOCK = frozenset({1, 3, 6, 7, 0xFFFE})
_FLAC_TOTAL_MASK = (1 << 36) - 1
_OGG_HEADER = 27
_OGG_MAX_PAGE = 65_307
_MPEG_HEADER_SEARCH = 4096
_MIN_FMT_CHUNK = 16
_EBML_HEADER, _EBML_SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"


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

    content: FileView
    claimed_frames: int | None = None
    exact: bool = False
    truncated: bool = False
    tolerance: float = 0.0


def inspect(content: FileView, audio_format: AudioFormat) -> Container:
    """Read the claims of a file whose format `sniff` found."""
    return _READERS.get(audio_format, Container)(content)


def _wav_chunks(content: FileView) -> Iterator[tuple[bytes, int, int]]:
    """The (id, offset of the body, size) of each chunk, as far as there are headers."""
    offset = 12
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > content.size:
            return
        name, size = struct.unpack("<4sI", content.part(offset, offset + 8))
        yield name, offset + 8, size
        offset += 8 + size + size % 2


def _wav(content: FileView) -> Container:
    block_align, tag = 0, 0
    for name, body, size in _wav_chunks(content):
        if name == b"fmt " and content.size - body >= _MIN_FMT_CHUNK:
            tag, block_align = struct.unpack("<H10xH", content.part(body, body + 14))
        if name != b"data":
            continue
        if size in _STREAMING_SIZES:
            return Container(content.patched(body - 4, b"\xff\xff\xff\xff"))
        missing = size - (content.size - body)
        # Only in uncompressed audio does a block hold one frame.
        claimed = size // block_align if block_align and tag in _ONE_FRAME_A_BLOCK else None
        return Container(content, claimed, truncated=missing > max(block_align, 1))
    return Container(content, truncated=True)


def _flac(content: FileView) -> Container:
    """STREAMINFO (RFC 9639, 8.2) comes first; its last 36 bits before the MD5 are the frames."""
    packed = content.part(18, 26)
    if len(packed) < 8 or content.part(4, 5)[0] & 0x7F:  # noqa: PLR2004 - the field's bytes
        return Container(content, truncated=True)
    value = int.from_bytes(packed, "big")
    unknown = (value & ~_FLAC_TOTAL_MASK).to_bytes(8, "big")
    return Container(content.patched(18, unknown), value & _FLAC_TOTAL_MASK or None, exact=True)


def _mp3(content: FileView) -> Container:
    audio = content.without(_id3_size(content))
    head = audio.part(0, _MPEG_HEADER_SEARCH)
    # Without a Xing/Info frame the length is the decoder's guess from the first bit rate.
    promised = b"Xing" in head or b"Info" in head
    return Container(audio, 0 if promised else None, tolerance=0.02)


def _id3_size(content: FileView) -> int:
    """Bytes of the ID3v2 tags in front (the size is 4 × 7 bits)."""
    start = 0
    for _ in range(_MAX_CHUNKS):
        header = content.part(start, start + 10)
        if header[:3] != b"ID3" or len(header) < 10:  # noqa: PLR2004 - the header's bytes
            break
        size = 0
        for byte in header[6:]:
            size = size << 7 | byte & 0x7F
        start += 10 + size
    return start


def _ogg(content: FileView) -> Container:
    """The last page must be whole (RFC 3533, 6): a cut file ends inside one."""
    tail = content.part(content.size - _OGG_MAX_PAGE, content.size)
    start = tail.rfind(b"OggS")
    if start < 0 or len(tail) < start + _OGG_HEADER:
        return Container(content, truncated=True)
    segments = tail[start + 26]
    lacing = tail[start + _OGG_HEADER : start + _OGG_HEADER + segments]
    end = start + _OGG_HEADER + segments + sum(lacing)
    return Container(content, truncated=len(lacing) < segments or end > len(tail))


def _mp4(content: FileView) -> Container:
    """Boxes follow one another to the end of the file (ISO/IEC 14496-12, 4.2)."""
    offset = 0
    for _ in range(_MAX_CHUNKS):
        header = content.part(offset, offset + 16)
        if len(header) < 8:  # noqa: PLR2004 - the shortest box
            break
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:], "big")
        if size < 8:  # noqa: PLR2004 - 0: to the end of the file; else no box at all
            break
        offset += size
    return Container(content, truncated=offset > content.size)


def _webm(content: FileView) -> Container:
    """A segment of known size must be there as a whole (RFC 8794, 5 and 6)."""
    offset = 0
    for wanted in (_EBML_HEADER, _EBML_SEGMENT):
        header = content.part(offset, offset + 12)
        if header[:4] != wanted or len(header) < 5 or not header[4]:  # noqa: PLR2004
            return Container(content)
        length = 9 - header[4].bit_length()
        size = int.from_bytes(header[4 : 4 + length], "big") - (1 << 7 * length)
        if size == (1 << 7 * length) - 1:  # All ones: unknown, as browsers record.
            return Container(content)
        offset += 4 + length + size
    return Container(content, truncated=offset > content.size)


_READERS = {
    AudioFormat.WAV: _wav,
    AudioFormat.FLAC: _flac,
    AudioFormat.MP3: _mp3,
    AudioFormat.OGG: _ogg,
    AudioFormat.OPUS: _ogg,
    AudioFormat.MP4: _mp4,
    AudioFormat.WEBM: _webm,
}
