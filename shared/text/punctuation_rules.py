"""Which English sentences are questions, and which words have a capital."""

from collections.abc import Sequence

from shared.text.punctuation_lexicon import (
    ACRONYMS,
    AUXILIARIES,
    BEFORE_MONTHS,
    BEFORE_NAMES,
    CONDITIONAL,
    CONSEQUENCES,
    DETERMINERS,
    FILLERS,
    HOW_MUCH,
    NEGATED,
    PRONOUNS,
    PROPER,
    PROPER_PAIRS,
    TAG_PRONOUNS,
    VERB_MONTHS,
    WH,
)

_NOUNS_BEFORE_VERB = 5
_SHORTEST_WITH_TAG = 4


def is_question(plain: Sequence[str]) -> bool:
    """Whether a sentence asks, by the order of its first words.

    Args:
        plain: Its words in lower case, without marks.
    """
    begin = 0
    while begin < min(2, len(plain)) and plain[begin] in FILLERS:
        begin += 1
    words = plain[begin:]
    if len(words) < 2:  # noqa: PLR2004
        return bool(words) and words[0] in {"why", "what", "who", "where", "when"}
    if words[0] in WH:
        return _asks_for(words)
    if begin and plain[begin - 1] == "so":
        return False  # "so do I"
    return words[0] in AUXILIARIES and _inverted(words)


def opens_question(plain: Sequence[str], place: int) -> bool:
    """Whether a question begins in the middle of what was said: "do you", "why did"."""
    first, *rest = plain[place : place + 3]
    if len(rest) < 2:  # noqa: PLR2004
        return False
    if first in WH:
        return rest[0] in AUXILIARIES and _subject(rest[1])
    before = plain[place - 1] if place else ""
    inverted = first in AUXILIARIES and first not in CONDITIONAL and rest[0] in TAG_PRONOUNS
    return inverted and before not in WH


def _asks_for(words: Sequence[str]) -> bool:
    """Whether a sentence that begins with a wh-word asks and does not exclaim or relate."""
    first, second = words[0], words[1]
    if "'" in first or (first == "why" and second in {"not", "don't"}):
        return True
    if second in AUXILIARIES:
        if first == "when":  # "when is it", and not "when in doubt"
            return len(words) > 2 and _subject(words[2])  # noqa: PLR2004
        return first not in {"which", "whose"}
    asks_which = first in {"what", "which", "whose"} or (first == "how" and second in HOW_MUCH)
    return asks_which and _asks_which(words)


def _asks_which(words: Sequence[str]) -> bool:
    """Like "how many people did you see", unlike "what i mean is"."""
    for place in range(2, min(_NOUNS_BEFORE_VERB, len(words))):
        if _subject(words[place - 1]):
            return False
        if words[place] in AUXILIARIES:
            return True
    return False


def _subject(word: str) -> bool:
    return word in PRONOUNS or word in DETERMINERS


def _inverted(words: Sequence[str]) -> bool:
    """Whether a verb stands before its subject, and not in a wish, order or condition."""
    verb, subject = words[0], words[1]
    if verb in NEGATED:
        return subject in PRONOUNS if verb != "don't" else subject in {"you", "we", "they", "i"}
    if verb in {"do", "have"}:
        return subject in {"i", "you", "we", "they", "these", "those"}
    if verb in {"may", "might"}:
        return subject in {"i", "we"}
    if verb in CONDITIONAL and any(word in CONSEQUENCES for word in words[3:]):
        return False
    return _subject(subject)


def tag_start(plain: Sequence[str]) -> int:
    """Where a tag such as "isn't it" begins at a sentence's end; 0 where there is none."""
    if len(plain) < _SHORTEST_WITH_TAG or plain[-2] not in NEGATED:
        return 0
    return len(plain) - 2 if plain[-1] in TAG_PRONOUNS else 0


def capital(word: str, plain: Sequence[str], place: int) -> str:
    """The word with the capital it has at its place of a sentence."""
    own = plain[place]
    if word != word.lower():
        return word
    if own in ACRONYMS:
        return word.replace(own, ACRONYMS[own])
    if place == 0 or own == "i" or own.startswith("i'"):
        return _capitalized(word)
    base = own.removesuffix("'s")
    if base in PROPER or _in_pair(plain, place):
        return _capitalized(word)
    before = plain[place - 1]
    if own in VERB_MONTHS:
        following = plain[place + 1] if place + 1 < len(plain) else ""
        dated = following[:1].isdigit()
        return _capitalized(word) if dated or before in BEFORE_MONTHS else word
    return _capitalized(word) if before.rstrip(".") in BEFORE_NAMES else word


def _in_pair(plain: Sequence[str], place: int) -> bool:
    return tuple(plain[place - 1 : place + 1]) in PROPER_PAIRS or (
        tuple(plain[place : place + 2]) in PROPER_PAIRS
    )


def _capitalized(word: str) -> str:
    """With its first letter a capital, unless a digit stands before it."""
    for place, character in enumerate(word):
        if character.isalpha():
            return word[:place] + character.upper() + word[place + 1 :]
        if character.isdigit():
            break
    return word
