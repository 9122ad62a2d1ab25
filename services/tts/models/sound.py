"""Sound on its way to a client."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Pcm16 = NDArray[np.int16]
PCM16_SCALE = 32_768


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word and when it is heard, in seconds from the start of the text; an estimate."""

    word: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class TimedMark:
    """A mark of the text and when it is passed, in seconds from its start."""

    name: str
    time: float


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a narration; the pieces follow each other without a gap.

    Attributes:
        samples: `[n] float32`, full scale 1, at the model's rate; may be none.
        marks: Passed here.
        words: Heard here, where they were asked for.
    """

    samples: Samples
    marks: tuple[TimedMark, ...] = ()
    words: tuple[TimedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechPart:
    """A part of a file that is made while it leaves.

    Attributes:
        content: Bytes of the file.
        marks: Passed since the last part.
        words: Heard since the last part, where they were asked for.
    """

    content: bytes
    marks: tuple[TimedMark, ...] = ()
    words: tuple[TimedWord, ...] = ()
