"""When each word is heard: an estimate, for the engines say nothing of it.

The audible part of a saying's sound, from its first sample above a hundredth of its peak to its
last one, is shared out among the words by their estimated spoken length: a letter counts one, a
digit or a symbol as much as the short word that it is spoken as, and a comma or full stop as the
pause that it makes. Where the normalized text has as many words as the written one, the lengths
are those of the normalized words, which are what is spoken.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import accumulate

import numpy as np

from services.tts.models.script import Say
from services.tts.models.sound import Samples, TimedWord
from services.tts.services.pronunciation import UNSPACED

# Where no space is between words, each character is told by itself.
_WORD = re.compile(rf"[{UNSPACED}][^\w\s]*|[^\s{UNSPACED}]+")
_AUDIBLE = 0.01
_EVERY_WORD, _LETTER, _DIGIT, _SYMBOL = 1.0, 1.0, 4.0, 6.0
_PAUSES = {",": 3.0, ";": 3.0, ":": 3.0, ".": 6.0, "!": 6.0, "?": 6.0, "।": 6.0, "。": 6.0}
_LONGEST_WORD = 256


def word_times(say: Say, samples: Samples, rate: int, offset_s: float) -> tuple[TimedWord, ...]:
    """The words of a saying as they were written, each with its estimated time.

    Times never go back and stay inside the sound.

    Args:
        say: The words.
        samples: Their sound, `[n] float32`.
        rate: In Hz.
        offset_s: When the sound begins.
    """
    words = _words(say.source)
    heard = np.flatnonzero(np.abs(samples) > _AUDIBLE * np.abs(samples).max(initial=0.0))
    if not words or not len(heard):
        return ()
    spoken = _words(say.text)
    lengths = [_length(word) for word in (spoken if len(spoken) == len(words) else words)]
    lengths[-1] = (lengths[-1][0], 0.0)  # The pause after the last word is not audible.
    first, last = float(heard[0]) / rate, float(heard[-1] + 1) / rate
    second = (last - first) / sum(own + pause for own, pause in lengths)
    begins = [0.0, *accumulate(own + pause for own, pause in lengths)]
    return tuple(
        TimedWord(
            word[:_LONGEST_WORD],
            round(offset_s + first + begin * second, 3),
            round(offset_s + first + (begin + own) * second, 3),
        )
        for word, begin, (own, _) in zip(words, begins, lengths, strict=False)
    )


def _words(text: str) -> list[str]:
    """What is spoken as words; what is punctuation alone is not."""
    return [found for found in _WORD.findall(text) if _categories(found) & set("LNS")]


def _length(word: str) -> tuple[float, float]:
    """Estimated length of a word, and of the pause after it, in letters."""
    kinds = [unicodedata.category(character)[0] for character in word]
    own = _EVERY_WORD + sum(
        {"L": _LETTER, "N": _DIGIT, "S": _SYMBOL}.get(kind, 0.0) for kind in kinds
    )
    return own, _PAUSES.get(word[-1], 0.0)


def _categories(characters: Iterable[str]) -> set[str]:
    return {unicodedata.category(character)[0] for character in characters}
