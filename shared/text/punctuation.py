"""Punctuation and capitals of English by rules, from words, pauses and the ends of utterances.

No word is added, dropped or respelled, but for capitals and the full stop of "Mr.". Marks that
are there already stay. The work is linear in the number of words.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import TypeVar

from shared.text.itn import TimedWord
from shared.text.punctuation_lexicon import (
    ALONE,
    DANGLING,
    DETERMINERS,
    INTRODUCTIONS,
    JOINING,
    NOT_BEFORE_BUT,
    STARTERS,
    STRANDED,
    SUBJECTS,
    TITLES,
)
from shared.text.punctuation_rules import capital, is_question, opens_question, tag_start

LANGUAGES = frozenset({"en"})
"""Languages that these rules are of."""

# Seconds of silence.
_SENTENCE_PAUSE = 0.55
_STARTER_PAUSE = 0.4
_QUESTION_PAUSE = 0.25
_CERTAIN_PAUSE = 1.5
_COMMA_PAUSE = 0.22
_CLAUSE_PAUSE = 0.1
_SHORTEST = 3
"""Words of a sentence that ends at a pause and not with its utterance."""

_MARK = re.compile(r"[.,!?;:…]+$")
_ABBREVIATION = re.compile(r"(?:[A-Za-z]\.)+|(?:mr|mrs|ms|dr|st|etc|vs)\.", re.IGNORECASE)
W = TypeVar("W", bound=TimedWord)


def punctuate(
    words: Sequence[W], rebuild: Callable[[W, str], W], *, ends: Collection[int] = ()
) -> list[W]:
    """The words with punctuation and capitals; those that stay are the same objects.

    Args:
        words: In order.
        rebuild: Makes a word with another text of one.
        ends: Indexes of the last words of utterances.
    """
    pauses = [max(0.0, after.start - before.end) for before, after in pairwise(words)]
    pauses.append(math.inf)
    for end in ends:
        pauses[end] = max(pauses[end], _SENTENCE_PAUSE)
    written = written_words([word.word for word in words], pauses[: len(words)])
    return [
        word if text == word.word else rebuild(word, text)
        for word, text in zip(words, written, strict=True)
    ]


def punctuate_text(text: str) -> str:
    """A text without times: one utterance; white space becomes single spaces."""
    words = text.split()
    return " ".join(written_words(words, [*[0.0] * (len(words) - 1), math.inf][: len(words)]))


def written_words(words: Sequence[str], pauses: Sequence[float]) -> list[str]:
    """Each word with its mark and its capital.

    Args:
        words: Without white space inside.
        pauses: Seconds of silence after each; infinite after the last of a text.
    """
    plain = [_plain(word) for word in words]
    found: list[str] = []
    begin = 0
    for place in range(len(words)):
        if _ends(words, plain, pauses, begin, place):
            found += _sentence(
                words[begin : place + 1], plain[begin : place + 1], pauses[begin : place + 1]
            )
            begin = place + 1
    return found


def _plain(word: str) -> str:
    lowered = word.lower().replace("’", "'")
    bare = _MARK.sub("", lowered)
    return lowered if _ABBREVIATION.fullmatch(word) and bare not in TITLES else bare


def _ends(
    words: Sequence[str], plain: Sequence[str], pauses: Sequence[float], begin: int, place: int
) -> bool:
    """Whether a sentence that began at `begin` ends after the word at `place`."""
    if place == len(words) - 1:
        return True
    if words[place][-1:] in {".", "?", "!", "…"} and not _ABBREVIATION.fullmatch(words[place]):
        return True
    pause, word, following = pauses[place], plain[place], plain[place + 1]
    if pause >= _CERTAIN_PAUSE:
        return word not in DANGLING or pause == math.inf
    if word in DANGLING or following in STRANDED or place - begin + 1 < _SHORTEST:
        return False
    if opens_question(plain, place + 1):
        return pause >= _QUESTION_PAUSE
    return pause >= (_STARTER_PAUSE if following in STARTERS else _SENTENCE_PAUSE)


def _sentence(words: Sequence[str], plain: Sequence[str], pauses: Sequence[float]) -> list[str]:
    """One sentence, with its marks and capitals."""
    last = len(words) - 1
    commas = _commas(plain, pauses)
    tag = tag_start(plain)
    if tag:
        commas.add(tag - 1)
    end = "?" if tag or is_question(plain) else "."
    found = []
    for place, word in enumerate(words):
        text = capital(word, plain, place)
        if plain[place] in TITLES and text[-1:] != "." and place < last:
            text = TITLES[plain[place]]
        marked = bool(_MARK.search(word))
        if place == last:
            text = _ended(text, word, end)
        elif place in commas and not marked:
            text += ","
        found.append(text)
    return found


def _ended(text: str, word: str, end: str) -> str:
    if not any(map(str.isalnum, word)):
        return text
    if text[-1] in ",;:":
        text = text[:-1]
    if text[-1] in "?!…" or (text[-1] == "." and end == "."):
        return text
    if text[-1] == ".":
        return text + end if _ABBREVIATION.fullmatch(word) else text
    return text + end


def _commas(plain: Sequence[str], pauses: Sequence[float]) -> set[int]:
    """After which words of a sentence a comma stands."""
    found = set()
    opening = _introduction(plain)
    if opening:
        found.add(opening - 1)
    for place in range(len(plain) - 1):
        word, following, pause = plain[place], plain[place + 1], pauses[place]
        paused = pause >= _COMMA_PAUSE and word not in DANGLING and following not in STRANDED
        if paused or _joins_clauses(plain, place, pause):
            found.add(place)
    return found


def _joins_clauses(plain: Sequence[str], place: int, pause: float) -> bool:
    """Whether the word after `place` begins another clause."""
    if place < 2 or place + 2 >= len(plain):  # noqa: PLR2004
        return False
    word, joint, subject = plain[place : place + 3]
    if word in DANGLING:
        return False
    clause = subject in SUBJECTS or subject in DETERMINERS
    if joint == "but":
        return word not in NOT_BEFORE_BUT and (clause or pause >= _CLAUSE_PAUSE)
    if joint in JOINING:
        return subject in SUBJECTS and pause >= _CLAUSE_PAUSE
    return joint == "which" and pause >= _CLAUSE_PAUSE


def _introduction(plain: Sequence[str]) -> int:
    """Words of an introduction such as "for example"; 0 where there is none."""
    for words in INTRODUCTIONS:
        length = len(words)
        if length < len(plain) and tuple(plain[:length]) == words:
            if words[0] in ALONE and length == 1 and plain[1] not in SUBJECTS:
                return 0
            return length
    return 0
