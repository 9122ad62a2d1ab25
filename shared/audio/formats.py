"""Audio formats that are read, by name and by content."""

from enum import StrEnum

INT16_SCALE = 32768
"""Full scale of 16-bit PCM."""


class AudioFormat(StrEnum):
    """The formats that are read here.

    `PCM` is headerless, signed, 16 bits, little-endian; `MULAW` and `ALAW` are headerless G.711.
    `OGG` is an Ogg stream with Vorbis when written, with Vorbis, Opus or FLAC when read; `OPUS`
    is an Ogg stream with Opus. `MP4` (m4a is one), `AAC` and `WEBM` are read where PyAV is
    installed.
    """

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"
    OPUS = "opus"
    PCM = "pcm"
    MULAW = "mulaw"
    ALAW = "alaw"
    MP4 = "mp4"
    AAC = "aac"
    WEBM = "webm"

    @classmethod
    def _missing_(cls, value: object) -> "AudioFormat | None":
        """Other names that clients use."""
        return ALIASES.get(value.lower()) if isinstance(value, str) else None


ALIASES: dict[str, AudioFormat] = {
    **{known.value: known for known in AudioFormat},
    "m4a": AudioFormat.MP4,
    "mulaw": AudioFormat.MULAW,
    "mu-law": AudioFormat.MULAW,
    "ulaw": AudioFormat.MULAW,
    "u-law": AudioFormat.MULAW,
    "pcmu": AudioFormat.MULAW,
    "pcm_mulaw": AudioFormat.MULAW,
    "a-law": AudioFormat.ALAW,
    "pcma": AudioFormat.ALAW,
    "pcm_alaw": AudioFormat.ALAW,
}

HEADERLESS = frozenset({AudioFormat.PCM, AudioFormat.MULAW, AudioFormat.ALAW})
"""Formats that show nothing of themselves: only the sender can name them."""
G711 = frozenset({AudioFormat.MULAW, AudioFormat.ALAW})
NEEDS_PYAV = frozenset({AudioFormat.MP4, AudioFormat.AAC, AudioFormat.WEBM})


_MAGIC = (
    (0, b"fLaC", AudioFormat.FLAC),
    (0, b"OggS", AudioFormat.OGG),
    (0, b"ID3", AudioFormat.MP3),
    (4, b"ftyp", AudioFormat.MP4),
    (0, b"\x1aE\xdf\xa3", AudioFormat.WEBM),
)


def sniff(content: bytes) -> AudioFormat | None:
    """The format that the first bytes show; None when it is none that is read here.

    A name or media type that a client declares is never believed over the content.
    """
    head = content[:64]
    for place, magic, found in _MAGIC:
        if head[place : place + len(magic)] == magic:
            return AudioFormat.OPUS if found is AudioFormat.OGG and b"OpusHead" in head else found
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return AudioFormat.WAV
    if _is_adts_header(head[:4]):
        return AudioFormat.AAC
    return AudioFormat.MP3 if _is_mpeg_audio_header(head[:4]) else None


def is_weak(head: bytes, found: AudioFormat) -> bool:
    """Whether `sniff` saw no more than a frame's first bits, which bare samples can have too."""
    return found is AudioFormat.AAC or (found is AudioFormat.MP3 and head[:3] != b"ID3")


def _is_adts_header(header: bytes) -> bool:
    """Whether four bytes begin an ADTS frame of AAC (ISO/IEC 13818-7, 6.2): its layer is 0."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:  # noqa: PLR2004
        return False
    rates = 13
    return (header[2] >> 2 & 15) < rates


def _is_mpeg_audio_header(header: bytes) -> bool:
    """Whether four bytes are an MPEG audio frame header (ISO/IEC 11172-3, 2.4.1.3), layer III."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004
        return False
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    reserved_version, layer_three, bad_bit_rate, reserved_rate = 1, 1, 15, 3
    return (
        version != reserved_version
        and layer == layer_three
        and bit_rate not in (0, bad_bit_rate)
        and rate != reserved_rate
    )
