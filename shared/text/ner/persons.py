"""Names of people: by titles, given names, introductions, and what is said of them."""

from collections.abc import Iterable, Iterator

from shared.text.ner.capitals import CALENDAR, NO_NAME, Sequence, sequences
from shared.text.ner.lookup import Openers
from shared.text.ner.model import Entity, EntityKind
from shared.text.ner.organizations import LEGAL_FORMS, TAILS
from shared.text.ner.people import (
    AMBIGUOUS_GIVEN,
    GIVEN_NAMES,
    GREETINGS,
    INTRODUCTIONS,
    PERSON_TITLES,
    REPORTING,
    SPOKEN_TITLES,
    SURNAMES,
)
from shared.text.ner.places import PLACE_TAILS, PLACES
from shared.text.stopwords import STOP_WORDS
from shared.text.tokens import Token, Tokens, token_at
from shared.text.wordlists import word_set

_INTRODUCTIONS, _GREETINGS = Openers(INTRODUCTIONS), Openers(GREETINGS)
_LONGEST = 4
_KNOWN_GIVEN = GIVEN_NAMES | AMBIGUOUS_GIVEN
_SURE_GIVEN = GIVEN_NAMES - AMBIGUOUS_GIVEN
_NO_LOWER_NAME = STOP_WORDS["en"] | word_set(
    "calling speaking here with from and or not on the a in looking trying having just what your"
    " important correct wrong right pronounced spelled listed account number that this my hi so"
    " customer manager agent support service company sir madam ma'am sorry"
)
_COMMON_SURNAMES = word_set(
    "bell brown king long white young park hill wood woods stone cook ford fox day cross green"
    " gray black rich price field bush rice love case church power powell ward west wall flowers"
    " gill lee mann mason may porter reed scott sen shah silva singh tan wright foster fisher hall"
)


def persons(tokens: Tokens) -> Iterator[Entity]:
    """People's names; they may overlap with other entities."""
    for row in sequences(tokens):
        named = _in_row(tokens, row)
        if named is not None:
            yield named
    yield from _in_lower_case(tokens)


def _entity(tokens: Tokens, first: int, last: int, confidence: float) -> Entity:
    return Entity(EntityKind.PERSON, tokens[first].start, tokens[last].end, confidence)


def _in_row(tokens: Tokens, row: Sequence) -> Entity | None:
    """The person that a row of capitalised words names."""
    words = list(row.words)
    titled = False
    while len(words) > 1 and tokens[words[0]].lower in PERSON_TITLES:
        del words[0]
        titled = True
    titled = titled or _titled(tokens, words[0])
    words = _without_tail(tokens, words)
    if not words:
        return None
    if titled:
        return _entity(tokens, words[0], words[min(len(words), _LONGEST) - 1], 0.92)
    for index, place in enumerate(words):
        if _given(tokens[place]) in _KNOWN_GIVEN:
            return _from_given(tokens, words[index : index + _LONGEST], row)
    return _unknown(tokens, words[:_LONGEST], row)


def _titled(tokens: Tokens, place: int) -> bool:
    before = place - 1
    if token_at(tokens, before).text == ".":
        before -= 1
    return token_at(tokens, before).lower in SPOKEN_TITLES


def _without_tail(tokens: Tokens, words: list[int]) -> list[int]:
    """Up to where the name of something else begins."""
    for index, place in enumerate(words):
        lower = tokens[place].lower
        if index and (lower in TAILS or lower in LEGAL_FORMS or lower in PLACE_TAILS):
            return words[:index] if index > 1 else []
        if lower in CALENDAR and index:
            return words[:index]
    return words


def _given(token: Token) -> str:
    return token.lower.split("-")[0]


def _from_given(tokens: Tokens, words: list[int], row: Sequence) -> Entity | None:
    first = tokens[words[0]]
    if len(words) > 1:
        return _entity(tokens, words[0], words[-1], 0.9)
    if _given(first) in _SURE_GIVEN and first.lower not in PLACES:
        return _entity(tokens, words[0], words[0], 0.75)
    introduced = _INTRODUCTIONS.before(tokens, words[0]) or _GREETINGS.before(tokens, words[0])
    reported = token_at(tokens, row.end).lower in REPORTING
    if introduced or (first.lower not in CALENDAR and (reported or _in_text(first))):
        return _entity(tokens, words[0], words[0], 0.75 if introduced else 0.55)
    return None


def _in_text(token: Token) -> bool:
    """Whether its capital is not that of a sentence's first word."""
    return not token.opens and len(token.text) > 2  # noqa: PLR2004


def _unknown(tokens: Tokens, words: list[int], row: Sequence) -> Entity | None:
    """A name of which no part is a known given name."""
    first, last = tokens[words[0]], tokens[words[-1]]
    several = len(words) > 1
    reported = token_at(tokens, row.end).lower in REPORTING
    confidence = 0.0
    if _INTRODUCTIONS.before(tokens, words[0]):
        confidence = 0.85
    elif several and len(first.text) == 1 and len(last.text) > 1 and first.lower != "i":
        confidence = 0.85  # Initials.
    elif several and last.lower in SURNAMES:
        confidence = 0.7
    elif several and (reported or _GREETINGS.before(tokens, words[0])):
        confidence = 0.55
    elif last.lower in SURNAMES and not last.text.isupper():
        common = last.lower in _COMMON_SURNAMES
        confidence = 0.6 if not common or (reported and not first.opens) else 0.0
    return _entity(tokens, words[0], words[-1], confidence) if confidence else None


def _in_lower_case(tokens: Tokens) -> Iterator[Entity]:
    """Names as transcripts have them: without capitals."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if not token.is_word or token.capital or token.lower in _NO_LOWER_NAME:
            place += 1
            continue
        last, confidence = _lower_name(tokens, place)
        if confidence:
            yield _entity(tokens, place, last, confidence)
            place = last
        place += 1


def _lower_name(tokens: Tokens, place: int) -> tuple[int, float]:
    """Last place and confidence of the name that begins here; 0 where none does."""
    lower = tokens[place].lower
    given = lower in _KNOWN_GIVEN
    if _INTRODUCTIONS.before(tokens, place):
        return _last_part(tokens, place, any_word=True), 0.85 if given else 0.65
    if _titled(tokens, place) and len(lower) > 2:  # noqa: PLR2004
        known = given or lower in SURNAMES
        return _last_part(tokens, place, any_word=False), 0.8 if known else 0.6
    following = token_at(tokens, place + 1)
    surname = _goes_on(following) and following.lower in SURNAMES and not following.capital
    sure = lower in _SURE_GIVEN
    greeted = given and (sure or surname) and _GREETINGS.before(tokens, place)
    return place + surname, 0.75 if greeted or (sure and surname) else 0.0


def _goes_on(token: Token) -> bool:
    return token.is_word and token.spaced


def _last_part(tokens: Tokens, place: int, *, any_word: bool) -> int:
    last = place
    while last < place + 2:
        following = token_at(tokens, last + 1)
        if not _goes_on(following) or following.lower in _NO_LOWER_NAME:
            break
        known = following.lower in SURNAMES or following.lower in GIVEN_NAMES
        if not (known or (any_word and _ends_clause(tokens, last + 2))):
            break
        last += 1
    return last


def _ends_clause(tokens: Tokens, place: int) -> bool:
    """Whether what is said ends here, or goes on with a word that is no part of a name."""
    token = token_at(tokens, place)
    return not token.is_word or token.lower in _NO_LOWER_NAME


def repeated_names(tokens: Tokens, found: Iterable[Entity], text: str) -> Iterator[Entity]:
    """The same people by a part of their name: "Priya Raghunathan … Raghunathan"."""
    parts = {
        part
        for one in found
        if one.kind is EntityKind.PERSON
        for part in text[one.start : one.end].split()
        if len(part) > 2 and part.lower() not in NO_NAME and part.lower() not in PLACES  # noqa: PLR2004
    }
    for token in tokens:
        if token.text in parts and token.capital:
            yield Entity(EntityKind.PERSON, token.start, token.end, 0.7)
