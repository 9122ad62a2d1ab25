"""Words with capitals that stand together: what names are made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.text.ner.people import NAME_PARTICLES
from shared.text.punctuation_lexicon import DAYS, MONTHS, NATIONALITIES, VERB_MONTHS
from shared.text.stopwords import STOP_WORDS
from shared.text.tokens import Tokens, token_at
from shared.text.wordlists import word_set

_MOST = 8
CALENDAR = DAYS | MONTHS | VERB_MONTHS
_IN_NAMES = word_set("new will long little old great")
"""Words of grammar that names have as well: "New York", "Will Smith"."""
NO_NAME = (
    CALENDAR
    | NATIONALITIES
    | (STOP_WORDS["en"] - _IN_NAMES)
    | word_set(
        "monday's i tv ok ceo cfo cto hr it pm am id faq pin atm url api pdf usb vip diy eta asap"
        " christmas easter diwali sunday's internet god lord yesterday tomorrow"
        " tonight however meanwhile unfortunately certainly absolutely great excellent perfect"
        " customer agent account order number email phone address date name dob ssn card"
    )
)
"""Words with a capital that are no name, or no part of one."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Capitalised words in a row.

    Attributes:
        words: Places of the words among the tokens.
        end: Place after the last of them.
    """

    words: tuple[int, ...]
    end: int


def sequences(tokens: Tokens) -> Iterator[Sequence]:
    """The longest rows of capitalised words of one sentence, without the words that open it."""
    place = 0
    while place < len(tokens):
        if not _names(tokens, place):
            place += 1
            continue
        words = [place]
        end = place + 1
        while len(words) < _MOST:
            following = _next_word(tokens, words[-1])
            if following < 0:
                break
            words.append(following)
            end = following + 1
        yield Sequence(tuple(words), end)
        place = end


def _names(tokens: Tokens, place: int) -> bool:
    token = tokens[place]
    return token.capital and token.lower not in NO_NAME


def _next_word(tokens: Tokens, place: int) -> int:
    """The place of the word that goes on with the row; -1 where none does."""
    following = place + 1
    token = token_at(tokens, following)
    if token.text == "." and not token.spaced and len(tokens[place].text) <= 4:  # noqa: PLR2004 - "J.", "Mr.", "Prof."
        following += 1
        token = token_at(tokens, following)
        if token.opens:
            return -1
    elif token.lower in NAME_PARTICLES and token.spaced:
        ahead = following
        while token_at(tokens, ahead).lower in NAME_PARTICLES and ahead < following + 2:
            ahead += 1
        if token_at(tokens, ahead).capital:
            following, token = ahead, tokens[ahead]
    if following >= len(tokens) or token.opens or not _names(tokens, following):
        return -1
    return following if token.spaced or tokens[following - 1].text == "." else -1
