"""Turns an encoded file into mono 16-bit PCM, in bounded blocks; runs in a sandboxed child.

Nothing that a header says is believed: frames are counted as they come out.
"""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from shared.audio.containers import Container, inspect
from shared.audio.contract import DecodeBounds, Decoded, Pcm16
from shared.audio.formats import INT16_SCALE, AudioFormat, sniff

Float = NDArray[np.float32]
_BLOCK_SAMPLES = 65536
_UNKNOWN_FRAMES = 1 << 40
_LOUDEST = 4.0
"""Full scale is 1; lossy codecs overshoot a little."""
_MAX_INT16, _MIN_INT16 = INT16_SCALE - 1, -INT16_SCALE


class DecodeFailure(Exception):
    """The audio is refused; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc] # untyped base
    """Reads straight on: the base class seeks after each block, which costs and loses frames."""

    def seekable(self) -> bool:
        """Never seek."""
        return False


def decode(
    content: bytes, bounds: DecodeBounds, declared: AudioFormat | None, rate: int | None
) -> Decoded:
    """Decode a whole file.

    Args:
        content: The encoded file.
        bounds: When to stop.
        declared: The sender's word for the format; only `PCM` matters, because headerless audio
            shows nothing of itself.
        rate: Sample rate of headerless audio.

    Raises:
        DecodeFailure: Not audio, truncated, too long, or outside the bounds.
    """
    if not content:
        raise DecodeFailure("empty_audio")
    found = sniff(content)
    if found is None and declared is AudioFormat.PCM:
        return _headerless(content, bounds, rate)
    if found is None:
        raise DecodeFailure("not_audio")
    container = inspect(content, found)
    with _opened(container, found) as file:
        source_rate, channels = int(file.samplerate), int(file.channels)
        _check_shape(source_rate, channels, bounds)
        claimed = _claimed_frames(container, int(file.frames))
        if claimed is not None and claimed > bounds.max_seconds * source_rate:
            raise DecodeFailure("audio_too_long")
        if container.truncated:
            raise DecodeFailure("audio_truncated")
        counted = _CountedBlocks(file, claimed, container, bounds)
        pcm = _to_target(counted.mono(), source_rate, bounds.target_rate)
    if not len(pcm):
        raise DecodeFailure("empty_audio")
    return Decoded(pcm, found, source_rate, channels)


def _headerless(content: bytes, bounds: DecodeBounds, rate: int | None) -> Decoded:
    if rate is None:
        raise DecodeFailure("sampling_rate_required")
    _check_shape(rate, 1, bounds)
    if len(content) % 2:
        raise DecodeFailure("audio_truncated")
    samples = np.frombuffer(content, np.dtype("<i2"))
    if len(samples) > bounds.max_seconds * rate:
        raise DecodeFailure("audio_too_long")
    blocks = (
        samples[start : start + _BLOCK_SAMPLES].astype(np.float32) / np.float32(INT16_SCALE)
        for start in range(0, len(samples), _BLOCK_SAMPLES)
    )
    return Decoded(_to_target(blocks, rate, bounds.target_rate), AudioFormat.PCM, rate, 1)


def _check_shape(rate: int, channels: int, bounds: DecodeBounds) -> None:
    if not 1 <= channels <= bounds.max_channels:
        raise DecodeFailure("too_many_channels")
    if not bounds.min_rate <= rate <= bounds.max_rate:
        raise DecodeFailure("unsupported_sample_rate")


@contextmanager
def _opened(container: Container, audio_format: AudioFormat) -> Iterator[Any]:
    """The file, open for sequential reading."""
    with ExitStack() as stack:
        source: Any = io.BytesIO(container.content)
        if audio_format is AudioFormat.MP3:
            # From a file, libsndfile ends an mp3 of variable bit rate where the first rate says.
            source = _as_pipe(container.content)
            stack.callback(os.close, source)
        try:
            file = _SequentialFile(source, closefd=False)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            code = "audio_truncated" if container.truncated else "not_audio"
            raise DecodeFailure(code) from error
        stack.callback(file.close)
        yield file


def _as_pipe(content: bytes) -> int:
    """The reading end of a pipe that a thread fills; closing it ends the thread."""
    reader, writer = os.pipe()

    def feed() -> None:
        with suppress(BrokenPipeError), os.fdopen(writer, "wb", buffering=0) as pipe:
            view = memoryview(content)
            while view:
                view = view[pipe.write(view) :]

    threading.Thread(target=feed, daemon=True).start()
    return reader


def _claimed_frames(container: Container, frames: int) -> int | None:
    """The container's own claim, else the library's, where either has one."""
    if container.claimed_frames:
        return container.claimed_frames
    return frames if 0 < frames < _UNKNOWN_FRAMES else None


class _CountedBlocks:
    """Reads blocks, counts their frames, and stops at the first broken bound."""

    def __init__(
        self, file: Any, claimed: int | None, container: Container, bounds: DecodeBounds
    ) -> None:
        self._file = file
        self._claimed = claimed
        self._container = container
        self._max_frames = min(
            int(bounds.max_seconds * file.samplerate), bounds.max_samples // file.channels
        )

    def mono(self) -> Iterator[Float]:
        """Blocks `[n] float32`, the channels averaged."""
        channels = self._file.channels
        buffer: Float = np.empty((_BLOCK_SAMPLES // channels, channels), np.float32)
        weights = np.full(channels, 1 / channels, np.float32)
        frames = 0
        while count := self._read(buffer, frames):
            frames += count
            if frames > self._max_frames:
                raise DecodeFailure("audio_too_long")
            if self._claimed is not None and self._container.exact and frames > self._claimed:
                raise DecodeFailure("audio_header_mismatch")
            block = _sound(buffer[:count])
            yield block[:, 0].copy() if channels == 1 else block @ weights
        self._check_complete(frames)

    def _read(self, buffer: Float, frames: int) -> int:
        try:
            count: int = self._file.buffer_read_into(buffer, "float32")
        except soundfile.LibsndfileError as error:
            # Noise can look like an mp3's frame header, but not like any other header.
            noise = not frames and self._file.format == "MP3"
            noise = noise and self._container.claimed_frames is None
            raise DecodeFailure("not_audio" if noise else "audio_truncated") from error
        return count

    def _check_complete(self, frames: int) -> None:
        promised = self._container.claimed_frames is not None and self._claimed is not None
        if promised and self._claimed:
            missing = self._claimed - frames
            if missing > self._container.tolerance * self._claimed:
                raise DecodeFailure("audio_truncated")


def _to_target(blocks: Iterator[Float], rate: int, target: int) -> Pcm16:
    """Resample and quantise; audio that is 16-bit at the target rate comes out unchanged."""
    if rate == target:
        return _join([_quantise(block) for block in blocks])
    resampler = soxr.ResampleStream(rate, target, 1, dtype="float32")
    parts = [_quantise(resampler.resample_chunk(block)) for block in blocks]
    parts.append(_quantise(resampler.resample_chunk(np.empty(0, np.float32), last=True)))
    return _join(parts)


def _sound(block: Float) -> Float:
    """The block, in place, without what is no sound: one NaN would spoil all that is resampled."""
    np.nan_to_num(block, copy=False)
    return np.clip(block, -_LOUDEST, _LOUDEST, out=block)


def _join(parts: list[Pcm16]) -> Pcm16:
    return np.concatenate(parts) if parts else np.empty(0, np.int16)


def _quantise(block: Float) -> Pcm16:
    scaled = np.rint(block * INT16_SCALE)
    return np.clip(scaled, _MIN_INT16, _MAX_INT16).astype(np.int16)
