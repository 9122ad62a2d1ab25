"""Names of places and organizations: by lists, by the words they are made of, by context."""

from collections.abc import Iterator

from shared.text.ner import organizations as orgs
from shared.text.ner import places
from shared.text.ner.capitals import Sequence, sequences
from shared.text.ner.lookup import Openers, Phrases
from shared.text.ner.model import Entity, EntityKind
from shared.text.ner.people import GIVEN_NAMES, PERSON_TITLES, SURNAMES
from shared.text.tokens import Tokens, token_at
from shared.text.wordlists import word_set

_PLACES, _ORGANIZATIONS = Phrases(places.PLACES), Phrases(orgs.ORGANIZATIONS)
_AFTER_WORK = Openers(orgs.AFTER_WORK)
_STATE_CODES = word_set(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM"
    " NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC"
)
_SMALL = frozenset({"of", "the", "and", "de", "es", "la", "do"})
_SURELY_BEFORE_PLACES = frozenset({"in", "near", "visit", "visiting", "visited"})
_SHORT = 3


def listed(tokens: Tokens) -> Iterator[Entity]:
    """Places and organizations of the lists."""
    for first, end, name in _PLACES.find(tokens):
        if _written_as_name(tokens, first, end, name, places.NOT_IN_LOWER_CASE):
            follower = token_at(tokens, end)
            person = name in places.ALSO_PEOPLE and (
                follower.lower in SURNAMES or token_at(tokens, first - 1).lower in GIVEN_NAMES
            )
            if not person and not (follower.capital and follower.lower in orgs.TAILS):
                yield _entity(EntityKind.LOCATION, tokens, first, end, 0.85)
    for first, end, name in _ORGANIZATIONS.find(tokens):
        acronym = name in orgs.ACRONYMS
        if acronym and not all(token.text.isupper() for token in tokens[first:end]):
            continue
        if _written_as_name(tokens, first, end, name, orgs.NOT_IN_LOWER_CASE):
            opens = tokens[first].opens and end - first == 1
            unsure = opens and name in orgs.NOT_IN_LOWER_CASE and not acronym
            follows = token_at(tokens, end)
            if not unsure or follows.text == "'" or _is_verb(follows.lower):
                yield _entity(EntityKind.ORGANIZATION, tokens, first, end, 0.88)


def _is_verb(word: str) -> bool:
    return word.endswith("ed") or word in {"is", "was", "has", "will", "said", "says", "plans"}


def _entity(kind: EntityKind, tokens: Tokens, first: int, end: int, confidence: float) -> Entity:
    last = tokens[end - 1].end
    return Entity(kind, tokens[first].start, last, confidence)


def _written_as_name(
    tokens: Tokens, first: int, end: int, name: str, not_in_lower_case: frozenset[str]
) -> bool:
    words = [token for token in tokens[first:end] if token.is_word]
    if all(word.capital or word.lower in _SMALL for word in words) and words[0].capital:
        return len(name) > _SHORT or name not in not_in_lower_case or words[0].text.isupper()
    lower = not any(word.capital for word in words)
    return lower and name not in not_in_lower_case and len(name) > _SHORT


def made(tokens: Tokens) -> Iterator[Entity]:
    """Places and organizations known by the words they are made of, or by context."""
    for row in sequences(tokens):
        found = _organization(tokens, row) or _place(tokens, row)
        if found is not None:
            yield found


def _organization(tokens: Tokens, row: Sequence) -> Entity | None:
    words = row.words
    for index in range(len(words) - 1, 0, -1):
        lower = tokens[words[index]].lower
        if lower in orgs.LEGAL_FORMS or lower in orgs.TAILS:
            first = 0
            while tokens[words[first]].lower in PERSON_TITLES and first < index - 1:
                first += 1
            return _entity(EntityKind.ORGANIZATION, tokens, words[first], words[index] + 1, 0.93)
    comma, form = token_at(tokens, row.end), token_at(tokens, row.end + 1)
    if comma.text == "," and form.capital and form.lower in orgs.LEGAL_FORMS:
        return _entity(EntityKind.ORGANIZATION, tokens, words[0], row.end + 2, 0.95)
    if tokens[words[-1]].lower in orgs.HEADS:
        end = _after_of(tokens, row.end)
        if end:
            return _entity(EntityKind.ORGANIZATION, tokens, words[0], end, 0.93)
    if comma.text == "&" and form.capital:
        return _entity(EntityKind.ORGANIZATION, tokens, words[0], row.end + 2, 0.8)
    if _AFTER_WORK.before(tokens, words[0]) and not _is_person(tokens, row):
        return _entity(EntityKind.ORGANIZATION, tokens, words[0], row.end, 0.65)
    return None


def _after_of(tokens: Tokens, place: int) -> int:
    """The place after "of England", or after "of Health and Welfare"; 0 where that is not next."""
    if token_at(tokens, place).lower != "of":
        return 0
    place += 1
    if token_at(tokens, place).lower == "the":
        place += 1
    end = place
    while token_at(tokens, end).capital and not tokens[end].opens and end < place + 4:
        end += 1
    if end > place and token_at(tokens, end).lower == "and" and token_at(tokens, end + 1).capital:
        end += 2
    return end if end > place else 0


def _is_person(tokens: Tokens, row: Sequence) -> bool:
    return any(tokens[place].lower.split("-")[0] in GIVEN_NAMES for place in row.words)


def _place(tokens: Tokens, row: Sequence) -> Entity | None:
    end, confidence = row.end, 0.0
    first, last = tokens[row.words[0]], tokens[row.words[-1]]
    comma, code = token_at(tokens, row.end), token_at(tokens, row.end + 1)
    if len(row.words) > 1 and last.lower in places.PLACE_TAILS:
        confidence = 0.93
    elif len(row.words) > 1 and first.lower in places.PLACE_HEADS:
        confidence = 0.91
    elif comma.text == "," and code.text in _STATE_CODES and len(row.words) < _SHORT:
        end, confidence = row.end + 2, 0.9
    elif len(row.words) < _SHORT and not _is_person(tokens, row):
        confidence = _by_context(tokens, row)
    if not confidence:
        return None
    return _entity(EntityKind.LOCATION, tokens, row.words[0], end, confidence)


def _by_context(tokens: Tokens, row: Sequence) -> float:
    """How sure it is that an unknown name is a place's."""
    first, last = tokens[row.words[0]], tokens[row.words[-1]]
    before = token_at(tokens, row.words[0] - 1).lower
    if before not in places.BEFORE_PLACES:
        return 0.0
    near = (token_at(tokens, row.words[0] - step).lower for step in (2, 3))
    if any(word in places.RESIDENCE for word in near):
        return 0.75
    unknown = not first.text.isupper() and last.lower not in SURNAMES
    return 0.55 if before in _SURELY_BEFORE_PLACES and unknown else 0.0
