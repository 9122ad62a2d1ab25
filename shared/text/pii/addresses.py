"""Where people live: streets with their numbers, post boxes, post codes."""

import re
from collections.abc import Iterator

from shared.text.itn_lexicon import DIGITS, TEENS, TENS
from shared.text.nearby import Nearby
from shared.text.ner.places import PLACES
from shared.text.pii.model import Finding, PiiKind
from shared.text.stopwords import STOP_WORDS
from shared.text.tokens import Token, Tokens, token_at
from shared.text.wordlists import word_set

_STREETS = word_set(
    "street st avenue ave road rd boulevard blvd lane ln drive dr court ct way place pl square sq"
    " terrace parkway pkwy highway hwy circle cir crescent close alley nagar marg colony layout"
    " trail row mews gardens grove"
)
_SURE_STREETS = word_set("street avenue road boulevard parkway highway nagar crescent")
"""Those that are hardly anything else, where capitals do not tell."""
_LOWER_STREETS = _SURE_STREETS | word_set("lane drive court terrace place way square circle close")
"""Those that are streets where an address is spoken of."""
_UNITS = word_set("apt apartment suite ste unit flat floor room #")
_STATES = word_set(
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm"
    " ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc"
)
_NO_NAME = STOP_WORDS["en"] | word_set(
    "minutes minute hours hour days day miles mile km people dollars percent years year months"
    " weeks times points pages items am pm meters feet th blocks block cars lanes"
)
_POST_CODE = re.compile(
    r"(?<![\w-])(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[A-Z]\s\d[A-Z]\d)(?![\w-])"
)
_ZIP = re.compile(r"(?<![\w.,$-])\d{5}-\d{4}(?![\w-])")
_BOX = re.compile(r"(?<!\w)p\.?\s?o\.?\sbox\s(?:no\.?\s)?\d{1,8}(?!\w)", re.IGNORECASE)
_CODED = re.compile(
    r"(?<!\w)(?:zip|postal|post|pin)\s?(?:code)s?(?:\s(?:is|number is))?:?\s"
    r"(?P<code>[A-Za-z0-9]{3,6}(?:\s[A-Za-z0-9]{3})?)(?!\w)",
    re.IGNORECASE,
)
_ADDRESS_WORDS = re.compile(
    r"\b(?:address|live at|lives at|living at|reside|residing|deliver(?:ed)? to|ship(?:ped)? to"
    r"|located at|home is|house)\b",
    re.IGNORECASE,
)
_MOST_NAMES, _MOST_DIGITS, _REACH = 4, 6, 60


def addresses(text: str, tokens: Tokens) -> Iterator[Finding]:
    """Postal addresses and parts of them."""
    nearby = Nearby(_ADDRESS_WORDS, text)
    done = 0
    for place in range(len(tokens)):
        if place < done or not _numbers_a_house(tokens, place):
            continue
        known = nearby.before(tokens[place].start, _REACH) is not None
        street = _street(tokens, place, _LOWER_STREETS if known else _SURE_STREETS)
        if not street:
            continue
        first = _unit_before(tokens, place)
        done = _rest(tokens, street)
        start, end = tokens[first].start, tokens[done - 1].end
        yield _finding(text, start, end, 0.9 if known or done > street else 0.75)
    for pattern, confidence in ((_POST_CODE, 0.8), (_ZIP, 0.7), (_BOX, 0.9)):
        for found in pattern.finditer(text):
            yield _finding(text, *found.span(), confidence)
    for found in _CODED.finditer(text):
        if any(map(str.isdigit, found["code"])):
            yield _finding(text, *found.span("code"), 0.8)


def _finding(text: str, start: int, end: int, confidence: float) -> Finding:
    return Finding(
        PiiKind.ADDRESS, start, end, confidence, " ".join(text[start:end].lower().split())
    )


def _numbers_a_house(tokens: Tokens, place: int) -> bool:
    token = tokens[place]
    if token.is_number:
        return len(token.text) <= _MOST_DIGITS and token_at(tokens, place - 1).text not in {
            ".",
            "$",
            ":",
        }
    return _spoken_number(token) and not _spoken_number(token_at(tokens, place - 1))


def _spoken_number(token: Token) -> bool:
    lower = token.lower
    return lower in DIGITS or lower in TEENS or lower in TENS or lower in {"hundred", "oh"}


def _street(tokens: Tokens, place: int, lower: frozenset[str]) -> int:
    """The place after the street that follows a house number; 0 where none does."""
    spoken = not tokens[place].is_number
    place += 1
    while spoken and _spoken_number(token_at(tokens, place)):
        place += 1
    if len(token_at(tokens, place).text) == 1 and not token_at(tokens, place).spaced:
        place += 1  # "12a", "12,"
    names = 0
    while names < _MOST_NAMES:
        token = token_at(tokens, place)
        numbered = token.is_number and not token_at(tokens, place + 1).spaced  # "5th"
        if not (token.is_word or numbered):
            return 0
        if names and token.lower in _STREETS and _is_street(tokens, place, lower):
            after = token_at(tokens, place + 1)
            return place + 1 + (after.text == "." and not after.spaced and len(token.text) < 5)  # noqa: PLR2004
        if token.lower in _NO_NAME and not numbered:
            return 0
        place += 1 + numbered
        names += 1
        if token_at(tokens, place).text == ".":
            place += 1  # "12 N. Main St"
    return 0


def _is_street(tokens: Tokens, place: int, lower: frozenset[str]) -> bool:
    capital = tokens[place].capital or tokens[place - 1].capital
    return capital or tokens[place].lower in lower


def _unit_before(tokens: Tokens, place: int) -> int:
    """Where "Flat 4," before the house number begins."""
    if token_at(tokens, place - 1).text == "," and token_at(tokens, place - 3).lower in _UNITS:
        return place - 3
    return place - 1 if token_at(tokens, place - 1).lower in _UNITS else place


def _rest(tokens: Tokens, place: int) -> int:
    """The place after what goes on with the address: a flat, a town, a state and its code."""
    end = place
    for _ in range(4):
        begin = end + (token_at(tokens, end).text == ",")
        after = _unit(tokens, begin) or _state(tokens, begin) or _code(tokens, begin)
        if not after:
            after = _town(tokens, begin) if begin > end else _spoken_place(tokens, begin)
        if not after:
            break
        end = after
    return end


def _unit(tokens: Tokens, place: int) -> int:
    token = token_at(tokens, place)
    if token.lower not in _UNITS:
        return 0
    place += 1 + (token_at(tokens, place + 1).text in {".", "#"})
    named = token_at(tokens, place)
    if not (named.is_number or len(named.text) <= 2 or _spoken_number(named)):  # noqa: PLR2004
        return 0
    after = token_at(tokens, place + 1)
    joined = not after.spaced and len(after.text) == 1 and (after.is_word or after.is_number)
    return place + 1 + joined


def _state(tokens: Tokens, place: int) -> int:
    token = token_at(tokens, place)
    return place + 1 if token.text.isupper() and token.lower in _STATES else 0


def _code(tokens: Tokens, place: int) -> int:
    token = token_at(tokens, place)
    if not token.is_number or len(token.text) not in (5, 6):
        return 0
    dash, more = token_at(tokens, place + 1), token_at(tokens, place + 2)
    return place + 3 if dash.text == "-" and len(more.text) == 4 and more.is_number else place + 1  # noqa: PLR2004


def _spoken_place(tokens: Tokens, place: int) -> int:
    """A known place, or five digits of a code, as they are said."""
    for length in (2, 1):
        words = [token_at(tokens, place + step).lower for step in range(length)]
        if " ".join(words) in PLACES and not tokens[place].capital:
            return place + length
    end = place
    while token_at(tokens, end).lower in DIGITS and end < place + 6:
        end += 1
    return end if end - place in (5, 6) else 0


def _town(tokens: Tokens, place: int) -> int:
    """A name with capitals after a comma, which a state, a code or another comma follows."""
    end = place
    while end < place + 3 and token_at(tokens, end).capital:
        end += 1
    return end if end > place else 0
