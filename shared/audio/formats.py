"""Audio formats by name, by content, and as media types; the only table of them."""

from enum import StrEnum

INT16_SCALE = 32768
"""Full scale of 16-bit PCM."""


class AudioFormat(StrEnum):
    """The formats that are read and written here.

    `PCM` is headerless, signed, 16 bits, little-endian. `OGG` is an Ogg stream with Vorbis when
    written, with Vorbis, Opus or FLAC when read; `OPUS` is an Ogg stream with Opus.
    """

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"
    OPUS = "opus"
    PCM = "pcm"


MEDIA_TYPES: dict[AudioFormat, str] = {
    AudioFormat.WAV: "audio/wav",
    AudioFormat.FLAC: "audio/flac",
    AudioFormat.MP3: "audio/mpeg",
    AudioFormat.OGG: "audio/ogg",
    AudioFormat.OPUS: "audio/ogg; codecs=opus",
    AudioFormat.PCM: "audio/L16",
}

SOUNDFILE_NAMES: dict[AudioFormat, tuple[str, str]] = {
    AudioFormat.WAV: ("WAV", "PCM_16"),
    AudioFormat.FLAC: ("FLAC", "PCM_16"),
    AudioFormat.MP3: ("MP3", "MPEG_LAYER_III"),
    AudioFormat.OGG: ("OGG", "VORBIS"),
    AudioFormat.OPUS: ("OGG", "OPUS"),
    AudioFormat.PCM: ("RAW", "PCM_16"),
}
"""libsndfile's (format, subtype) for writing each format."""

# Rates that the encoders of lossy formats accept (libsndfile refuses others).
_MP3_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_OPUS_RATES = frozenset({8000, 12000, 16000, 24000, 48000})


def writable_rate(audio_format: AudioFormat, rate: int) -> int:
    """The nearest rate that the format's encoder takes, not below `rate` where there is one."""
    if audio_format is AudioFormat.MP3:
        rates = _MP3_RATES
    elif audio_format is AudioFormat.OPUS:
        rates = _OPUS_RATES
    else:
        return rate
    return min((known for known in rates if known >= rate), default=max(rates))


def sniff(content: bytes) -> AudioFormat | None:
    """The format that the first bytes show; None when it is none that is read here.

    A name or media type that a client declares is never believed over the content.
    """
    head = content[:64]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return AudioFormat.WAV
    if head[:4] == b"fLaC":
        return AudioFormat.FLAC
    if head[:4] == b"OggS":
        return AudioFormat.OPUS if b"OpusHead" in head else AudioFormat.OGG
    if head[:3] == b"ID3" or _is_mpeg_audio_header(head[:4]):
        return AudioFormat.MP3
    return None


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
