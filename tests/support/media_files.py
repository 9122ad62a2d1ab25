"""Files that only PyAV writes and reads; made on the spot."""

import importlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

# (container, codec, layout of samples)
KINDS: dict[str, tuple[str, str, str]] = {
    "m4a": ("mp4", "aac", "fltp"),
    "fragmented mp4": ("mp4", "aac", "fltp"),
    "aac": ("adts", "aac", "fltp"),
    "webm": ("webm", "libopus", "flt"),
    "mp4 with mp3": ("mp4", "libmp3lame", "s16p"),
    "mkv with pcm": ("matroska", "pcm_s16le", "s16"),
}


def media(samples: NDArray[np.int16], rate: int, kind: str) -> bytes:
    """The samples (`[T]` or `[T, C]`) in a container of `KINDS`."""
    av: Any = importlib.import_module("av")
    container, codec, sample_format = KINDS[kind]
    buffer = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov"} if kind.startswith("fragmented") else {}
    frames = samples if samples.ndim == 2 else samples[:, np.newaxis]
    layout = {1: "mono", 2: "stereo"}[frames.shape[1]]
    with av.open(buffer, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout, format=sample_format)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(frames).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate = rate
        resampler = av.AudioResampler(sample_format, layout, rate, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(part):
                file.mux(packet)
        for packet in stream.encode(None):
            file.mux(packet)
    return buffer.getvalue()
