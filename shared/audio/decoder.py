"""Turns an encoded file into 16-bit PCM tracks, in bounded blocks; runs in a sandboxed child.

Nothing that a header says is believed: frames are counted as they come out.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import soxr

from shared.audio.containers import inspect
from shared.audio.contract import SAMPLE_BYTES, DecodeBounds, DecodeRequest, Outline
from shared.audio.formats import (
    G711,
    HEADERLESS,
    INT16_SCALE,
    NEEDS_PYAV,
    AudioFormat,
    is_weak,
    sniff,
)
from shared.audio.media import open_with_pyav
from shared.audio.streams import (
    AudioStream,
    DecodeFailure,
    Float,
    open_headerless,
    open_with_libsndfile,
)
from shared.audio.view import FileView

_HEAD_BYTES = 64
_G711_RATE = 8_000
_LOUDEST = 4.0
"""Full scale is 1; lossy codecs overshoot a little."""
_MAX_INT16, _MIN_INT16 = INT16_SCALE - 1, -INT16_SCALE


class TrackWriter:
    """Writes tracks to a file, each to its own place.

    Args:
        descriptor: The file.
        room: Most bytes, all tracks together.
        track_bytes: Distance of the tracks' beginnings; see `Outline`.
    """

    def __init__(self, descriptor: int, room: int, track_bytes: int) -> None:
        self._descriptor = descriptor
        self._room = room
        self._track_bytes = track_bytes
        self.samples = 0

    def write(self, block: Float) -> None:
        """Quantise and append `[n, tracks] float32`.

        Raises:
            DecodeFailure: There is no room.
        """
        scaled = np.rint(block * INT16_SCALE)
        tracks = np.clip(scaled, _MIN_INT16, _MAX_INT16).astype("<i2").T
        if (self.samples + len(block)) * SAMPLE_BYTES * len(tracks) > self._room:
            raise DecodeFailure("scratch_full")
        for index, track in enumerate(tracks):
            place = index * self._track_bytes + self.samples * SAMPLE_BYTES
            try:
                os.pwrite(self._descriptor, track.tobytes(), place)
            except OSError as error:
                raise DecodeFailure("scratch_full") from error
        self.samples += len(block)


def decode(
    content: FileView, request: DecodeRequest, bounds: DecodeBounds, writer: TrackWriter
) -> Outline:
    """Decode a whole file.

    Raises:
        DecodeFailure: Not audio, truncated, too long, or outside the bounds.
    """
    if not content.size:
        raise DecodeFailure("empty_audio")
    found = _format(content.part(0, _HEAD_BYTES), request.declared)
    with _opened(content, found, request) as stream:
        if not 1 <= stream.channels <= bounds.max_channels:
            raise DecodeFailure("too_many_channels")
        if not bounds.min_rate <= stream.rate <= bounds.max_rate:
            raise DecodeFailure("unsupported_sample_rate")
        tracks = stream.channels if request.separate else 1
        longest = min(
            int(bounds.max_seconds * stream.rate) // tracks,
            bounds.samples_from(content.size) // stream.channels,
        )
        if stream.claimed is not None and stream.claimed > longest:
            raise DecodeFailure("audio_too_long")
        if stream.truncated:
            raise DecodeFailure("audio_truncated")
        blocks = _counted(stream, longest)
        blocks = map(_sound, blocks) if request.separate else _averaged(blocks, stream.channels)
        for block in _resampled(blocks, stream.rate, bounds.target_rate, tracks):
            writer.write(block)
    if not writer.samples:
        raise DecodeFailure("empty_audio")
    return Outline(found, stream.rate, stream.channels, tracks, writer.samples)


def _format(head: bytes, declared: AudioFormat | None) -> AudioFormat:
    """What the content shows; headerless audio shows nothing, and is what its sender says."""
    found = sniff(head)
    if declared in HEADERLESS and (found is None or is_weak(head, found)):
        return declared
    if found is None:
        raise DecodeFailure("not_audio")
    return found


def _opened(
    content: FileView, found: AudioFormat, request: DecodeRequest
) -> AbstractContextManager[AudioStream]:
    if found in HEADERLESS:
        rate = request.rate or (_G711_RATE if found in G711 else None)
        if rate is None:
            raise DecodeFailure("sampling_rate_required")
        return nullcontext(open_headerless(content, found, rate))
    container = inspect(content, found)
    if found in NEEDS_PYAV:
        return open_with_pyav(container, found)
    return open_with_libsndfile(container, found)


def _counted(stream: AudioStream, longest: int) -> Iterator[Float]:
    """The blocks, as long as no bound is broken."""
    frames = 0
    for block in stream.blocks:
        frames += len(block)
        if frames > longest:
            raise DecodeFailure("audio_too_long")
        if stream.claimed is not None and stream.exact and frames > stream.claimed:
            raise DecodeFailure("audio_header_mismatch")
        yield block
    if stream.claimed and stream.claimed - frames > stream.tolerance * stream.claimed:
        raise DecodeFailure("audio_truncated")


def _averaged(blocks: Iterator[Float], channels: int) -> Iterator[Float]:
    weights = np.full((channels, 1), 1 / channels, np.float32)
    for block in blocks:
        sound = _sound(block)
        yield sound if channels == 1 else sound @ weights


def _sound(block: Float) -> Float:
    """The block, in place, without what is no sound: one NaN would spoil all that is resampled."""
    if not np.isfinite(block).all():
        np.nan_to_num(block, copy=False)
    return np.clip(block, -_LOUDEST, _LOUDEST, out=block)


def _resampled(blocks: Iterator[Float], rate: int, target: int, tracks: int) -> Iterator[Float]:
    """Blocks at the target rate; audio that is there already comes out unchanged."""
    if rate == target:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, target, tracks, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(np.ascontiguousarray(block)).reshape(-1, tracks)
    last = resampler.resample_chunk(np.empty((0, tracks), np.float32), last=True)
    yield last.reshape(-1, tracks)
