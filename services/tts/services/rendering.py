"""From the model's samples to what a client receives; runs in a worker thread."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pybase64
from numpy.typing import NDArray

from services.tts.exceptions import UnusableAudio
from services.tts.models.speech import Output, SpokenItem
from services.tts.services.joining import join
from shared.audio.encode import encode_audio, resample
from shared.text.sentences import Chunk


def render(
    chunks: Sequence[Chunk],
    parts: Sequence[NDArray[np.float32]],
    model_rate: int,
    output: Output,
) -> SpokenItem:
    """Join, resample, encode.

    Raises:
        UnusableAudio: The parts hold no samples at all.
    """
    samples = join(parts, [chunk.ends_sentence for chunk in chunks], model_rate)
    if len(samples) == 0:
        raise UnusableAudio
    samples = resample(samples, model_rate, output.sampling_rate)
    encoded = encode_audio(samples, output.sampling_rate, output.audio_format)
    return SpokenItem(
        text=" ".join(chunk.text for chunk in chunks),
        content=pybase64.b64encode(encoded).decode("ascii"),
        duration_s=round(len(samples) / output.sampling_rate, 3),
        size=len(encoded),
        sha256=hashlib.sha256(encoded).hexdigest(),
    )
