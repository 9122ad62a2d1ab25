"""The decoder on bytes: in this process, and in the children of a pool."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shared.audio.contract import DecodeBounds, DecodeRequest, Outline, Pcm16
from shared.audio.decode import DecodePool
from shared.audio.decoder import TrackWriter, decode
from shared.audio.formats import AudioFormat
from shared.audio.scratch import Scratch, StoredPcm
from shared.audio.view import FileView


def decode_bytes(
    content: bytes,
    bounds: DecodeBounds,
    declared: AudioFormat | None = None,
    rate: int | None = None,
    *,
    separate: bool = False,
) -> tuple[Outline, list[Pcm16]]:
    """What the decoder says, and the tracks that it wrote."""
    source, output = os.memfd_create("source"), os.memfd_create("output")
    try:
        os.write(source, content)
        writer = TrackWriter(output, bounds.track_bytes, bounds.track_bytes)
        view = FileView(source, len(content))
        outline = decode(view, DecodeRequest(declared, rate, separate), bounds, writer)
        parts = [
            os.pread(output, outline.samples * 2, track * bounds.track_bytes)
            for track in range(outline.tracks)
        ]
    finally:
        os.close(source)
        os.close(output)
    return outline, [np.frombuffer(part, np.int16) for part in parts]


@dataclass(frozen=True)
class Decoded:
    """Mono PCM, and what it was made of."""

    pcm: Pcm16
    audio_format: AudioFormat
    source_rate: int
    channels: int


async def decode_in_child(
    pool: DecodePool, content: bytes, declared: AudioFormat | None = None, rate: int | None = None
) -> Decoded:
    """What a child of the pool makes of a file."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Scratch(Path(folder), 1 << 30)
        with scratch.file() as source, scratch.file() as output:
            source.append(content)
            found = await pool.decode(source, output, DecodeRequest(declared, rate))
            pcm = StoredPcm(output, 0, found.samples)[:]
    return Decoded(pcm, found.audio_format, found.source_rate, found.channels)
