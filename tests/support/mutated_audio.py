"""Audio files damaged at random, but the same for the same seed."""

import importlib.util
import io
import random
from collections.abc import Callable, Iterator

import soundfile

from tests.support.media_files import media
from tests.support.recordings import SAMPLE_RATE, recordings

_HEAD = 96
_EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01")
# Container and subtype, as libsndfile names them.
_WRITTEN = {
    "wav": ("WAV", "PCM_16"),
    "wav 24": ("WAV", "PCM_24"),
    "wav float": ("WAV", "FLOAT"),
    "wav mulaw": ("WAV", "ULAW"),
    "wav adpcm": ("WAV", "IMA_ADPCM"),
    "wav gsm": ("WAV", "GSM610"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
_MEDIA = ("m4a", "fragmented mp4", "aac", "webm", "mkv with pcm")
Mutation = Callable[[random.Random, bytearray, list[bytes]], bytearray]


def originals(seconds: float = 0.6) -> dict[str, bytes]:
    """A moment of speech in every format that can be written here."""
    samples = recordings()[4].samples()[SAMPLE_RATE // 2 :][: int(seconds * SAMPLE_RATE)]
    found: dict[str, bytes] = {}
    for name, (container, subtype) in _WRITTEN.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, samples / 32_768, SAMPLE_RATE, format=container, subtype=subtype)
        found[name] = buffer.getvalue()
    if importlib.util.find_spec("av"):
        wide = samples.repeat(3)
        found |= {kind: media(wide, 3 * SAMPLE_RATE, kind) for kind in _MEDIA}
    return found


def _cut(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    return content[: rng.randrange(len(content) + 1)]


def _flip(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    last = len(content) if rng.random() < 0.5 else min(_HEAD, len(content))
    for _flip in range(rng.randint(1, 12)):
        content[rng.randrange(last)] ^= 1 << rng.randrange(8)
    return content


def _lie(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    """Extreme numbers where a header may have its own."""
    for _lie in range(rng.randint(1, 3)):
        width = rng.choice((1, 2, 4, 8))
        place = rng.randrange(min(_HEAD, len(content)))
        lie = rng.choice(_EXTREMES) * width if rng.random() < 0.7 else rng.randbytes(width)
        content[place : place + width] = lie
    return content


def _splice(rng: random.Random, content: bytearray, others: list[bytes]) -> bytearray:
    """The head of one file, the rest of another."""
    other = rng.choice(others)
    cut = rng.randrange(min(len(content), 4 * _HEAD))
    return content[:cut] + other[rng.randrange(len(other)) :]


def _delete(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(content))
    del content[start : start + rng.randint(1, 2000)]
    return content


def _insert(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(content))
    length = rng.randint(1, 2000)
    content[start:start] = bytes(length) if rng.random() < 0.5 else rng.randbytes(length)
    return content


def _repeat(rng: random.Random, content: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(content))
    part = bytes(content[start : start + rng.randint(1, 4000)])
    content[start:start] = part * rng.randint(1, 20)
    return content


_MUTATIONS: tuple[Mutation, ...] = (_cut, _flip, _flip, _lie, _lie, _splice, _delete, _insert)
_MUTATIONS += (_repeat,)


def mutated(seed: int) -> Iterator[tuple[str, bytes]]:
    """Damaged files without end: the format's name, and the content."""
    whole = originals()
    names, contents = list(whole), list(whole.values())
    rng = random.Random(seed)
    while True:
        name = rng.choice(names)
        content = bytearray(whole[name])
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if content:
                content = rng.choice(_MUTATIONS)(rng, content, contents)
        yield name, bytes(content)
