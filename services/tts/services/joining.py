"""Lays the parts of a script one after the other without clicks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.tts.models.script import Mark, Pause, Say, Script
from services.tts.models.sound import PCM16_SCALE, Pcm16, Samples

_FADE_S = 0.005
_SENTENCE_PAUSE_S = 0.2
_CUT_PAUSE_S = 0.06
_SILENT_BLOCK_S = 1.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words and how they meet their neighbours.

    Attributes:
        say: The words.
        follows: Whether sound or silence comes before it.
        goes_on: Whether sound or silence comes after it.
    """

    say: Say
    follows: bool
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """No sound."""

    seconds: float


Laid = Spoken | Silence | Mark


def lay_out(script: Script) -> list[Laid]:
    """A script with its usual pauses, in order.

    Between two sayings there is a pause, longer after a sentence than inside one, unless the
    script has one of its own there. A mark between two sayings stands right before the second.
    """
    sounding = [step for step in script if not isinstance(step, Mark)]
    laid: list[Laid] = []
    marks: list[Mark] = []
    before: Say | Pause | None = None
    left = len(sounding)
    for step in script:
        if isinstance(step, Mark):
            marks.append(step)
            continue
        left -= 1
        if isinstance(step, Say) and isinstance(before, Say):
            laid.append(Silence(pause_after(before)))
        laid += marks
        marks = []
        if isinstance(step, Say):
            laid.append(Spoken(step, follows=before is not None, goes_on=left > 0))
        else:
            laid.append(Silence(step.seconds))
        before = step
    return laid + marks


def pause_after(say: Say) -> float:
    """The usual pause between a saying and the next one, in seconds."""
    return _SENTENCE_PAUSE_S if say.ends_sentence else _CUT_PAUSE_S


def silent_blocks(seconds: float, rate: int) -> Iterator[Samples]:
    """Silence in blocks of bounded size: a pause may be long."""
    left, most = round(seconds * rate), round(_SILENT_BLOCK_S * rate)
    while left > 0:
        yield np.zeros(min(left, most), np.float32)
        left -= most


def shaped(part: Pcm16, spoken: Spoken, rate: int) -> Samples:
    """`[n] int16` as the `[n] float32` that is heard.

    Each joint fades over 5 ms: a step in the signal would be heard as a click.
    """
    samples = part.astype(np.float32)
    samples *= np.float32(spoken.say.volume / PCM16_SCALE)
    length = min(round(rate * _FADE_S), len(samples) // 2)
    if length:
        ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
        if spoken.follows:
            samples[:length] *= ramp
        if spoken.goes_on:
            samples[-length:] *= ramp[::-1]
    return samples
