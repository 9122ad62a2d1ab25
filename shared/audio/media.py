"""Audio of mp4, m4a, aac and webm files, by PyAV (FFmpeg), which is an optional extra.

Imported on the first such file, in the decoder child alone: FFmpeg is large, and its licence is
not for every installation.
"""

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from shared.audio.containers import Container
from shared.audio.formats import AudioFormat
from shared.audio.streams import AudioStream, DecodeFailure, Float

# By name: FFmpeg's own guess would also find playlists, which name other files.
_DEMUXERS = {AudioFormat.MP4: "mp4", AudioFormat.AAC: "aac", AudioFormat.WEBM: "matroska"}
_OPTIONS = {"protocol_whitelist": "none", "enable_drefs": "0"}
_JOINED_FRAMES = 16_384
"""A codec's own frames are small: each would cost a call of the resampler."""


@contextmanager
def open_with_pyav(container: Container, audio_format: AudioFormat) -> Iterator[AudioStream]:
    """The first audio stream of a file.

    Raises:
        DecodeFailure: PyAV is not installed, or this is no such file.
    """
    try:
        av: Any = importlib.import_module("av")
    except ImportError as error:
        raise DecodeFailure("unsupported_audio_format") from error
    with ExitStack() as stack:
        try:
            file = stack.enter_context(
                av.open(
                    container.content,
                    format=_DEMUXERS[audio_format],
                    options=_OPTIONS,
                    metadata_errors="ignore",
                )
            )
            stream = file.streams.audio[0]
            stream.codec_context.thread_count = 1
            frames = iter(file.decode(stream))
            first = next(frames)
        except (av.FFmpegError, ValueError, IndexError, StopIteration) as error:
            raise DecodeFailure(
                "audio_truncated" if container.truncated else "not_audio"
            ) from error
        channels = len(first.layout.channels)
        seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
        claimed = int(seconds * first.sample_rate)
        # Editing leaves lists that skip much of what is stored: fewer frames are no truncation.
        yield AudioStream(
            first.sample_rate,
            channels,
            _joined(_blocks(first, frames, av.FFmpegError)),
            claimed or None,
            tolerance=1.0,
            truncated=container.truncated,
        )


def _blocks(first: Any, frames: Iterator[Any], failure: type[Exception]) -> Iterator[Float]:
    shape = _shape(first)
    yield _samples(first)
    while True:
        try:
            frame = next(frames, None)
        except (failure, ValueError) as error:
            raise DecodeFailure("decode_failed") from error
        if frame is None:
            return
        if _shape(frame) != shape:
            raise DecodeFailure("audio_header_mismatch")
        yield _samples(frame)


def _shape(frame: Any) -> tuple[int, int]:
    return frame.sample_rate, len(frame.layout.channels)


def _samples(frame: Any) -> Float:
    """`[n, channels] float32`, full scale 1."""
    found = frame.to_ndarray()
    samples = found.T if frame.format.is_planar else found.reshape(-1, len(frame.layout.channels))
    if samples.dtype.kind == "f":
        return np.asarray(samples, np.float32)
    if samples.dtype.kind == "u":
        samples, full_scale = samples.astype(np.float32) - 128, 128.0
    else:
        full_scale = -float(np.iinfo(samples.dtype).min)
    return np.asarray(samples / np.float32(full_scale), np.float32)


def _joined(blocks: Iterator[Float]) -> Iterator[Float]:
    waiting: list[Float] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        if count >= _JOINED_FRAMES:
            yield np.concatenate(waiting)
            waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting)
