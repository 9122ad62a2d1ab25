"""E-mail addresses, also as they are said: "john dot doe at gmail dot com"."""

import re
from collections.abc import Iterator

from shared.text.itn_lexicon import DIGITS, REPEATS, TEENS, TENS
from shared.text.nearby import Nearby
from shared.text.ner.patterns import emails
from shared.text.pii.model import Finding, PiiKind
from shared.text.stopwords import STOP_WORDS
from shared.text.tokens import Token, Tokens, token_at
from shared.text.wordlists import word_set

_TOP_LEVEL = word_set(
    "com org net edu gov io co in uk us de es fr it nl eu info biz dev app ai me ca au ie"
)
_PROVIDERS = word_set(
    "gmail googlemail yahoo hotmail outlook icloud aol proton protonmail live msn rediffmail mail"
    " ymail zoho gmx yandex fastmail me comcast verizon"
)
_DOTS = frozenset({"dot", "period", "point", "."})
_LINKS = {"dot": ".", "period": ".", ".": ".", "underscore": "_", "_": "_", "dash": "-",
          "hyphen": "-", "minus": "-", "-": "-", "plus": "+"}  # fmt: skip
_DASHES = frozenset({"-", "dash", "hyphen"})
_BRACKETS = frozenset("()[]{}<>")
_CONTEXT = re.compile(
    r"\be-?\s?mails?\b|\bmail (?:me|id|address)\b|\bmail(?:ed)? to\b", re.IGNORECASE
)
_REACH = 80
_CREDENTIALS = re.compile(r"://[^\s/@:]{1,100}:[^\s/@]{0,200}\Z")
_LONGEST_USER = 300
_LONGEST_LOCAL, _LONGEST_DOMAIN = 24, 4
_NO_LOCAL = STOP_WORDS["en"] | word_set(
    "look shop order buy available found arrive work works store online find us website page"
    " site stay book meet search located sold starting visit support is email mail address"
)


def written_mail(text: str) -> Iterator[Finding]:
    """E-mail addresses with their "@"."""
    for start, end in emails(text):
        if _CREDENTIALS.search(text, max(0, start - _LONGEST_USER), start):
            continue  # The password of "https://user:password@host".
        yield Finding(PiiKind.EMAIL, start, end, 0.99, text[start:end].lower())


def spoken_mail(text: str, tokens: Tokens) -> Iterator[Finding]:
    """E-mail addresses in words, and those that hide their "@" in words."""
    nearby: Nearby | None = None
    done = 0
    for place, token in enumerate(tokens):
        if token.lower != "at" or token.start < done:
            continue
        end, domain = _domain(tokens, place + 1)
        if not domain:
            continue
        first, local = _local(tokens, place - 1, done)
        if not local:
            continue
        if nearby is None:
            nearby = Nearby(_CONTEXT, text)
        start = tokens[first].start
        built = len(local) > 1 or local[0][-1:].isdigit() or _bracketed(tokens, place)
        known = nearby.before(start, _REACH) is not None
        provider = domain.split(".")[0] in _PROVIDERS
        if tokens[first].lower in _NO_LOCAL and not (built or (known and provider)):
            continue
        if known or provider or built:
            confidence = 0.95 if known and provider else 0.85 if known or provider else 0.6
            done = tokens[end - 1].end
            yield Finding(PiiKind.EMAIL, start, done, confidence, f"{''.join(local)}@{domain}")


def _bracketed(tokens: Tokens, place: int) -> bool:
    return token_at(tokens, place - 1).text in _BRACKETS and token_at(tokens, place).lower == "at"


def _part(token: Token) -> bool:
    return token.is_word or token.is_number


def _skip(tokens: Tokens, place: int, step: int) -> int:
    """Past the brackets of "john [at] example [dot] com"."""
    while token_at(tokens, place).text in _BRACKETS and 0 <= place < len(tokens):
        place += step
    return place


def _domain(tokens: Tokens, place: int) -> tuple[int, str]:
    """Place after the domain that begins here, and the domain; empty where none does."""
    place = _skip(tokens, place, 1)
    if (token_at(tokens, place).lower, token_at(tokens, place + 1).lower) == ("the", "rate"):
        place = _skip(tokens, place + 2, 1)
    written: list[str] = []
    for _ in range(_LONGEST_DOMAIN):
        label, after = _label(tokens, place)
        if not label:
            return 0, ""
        dot = _skip(tokens, after, 1)
        if token_at(tokens, dot).lower not in _DOTS:
            return 0, ""
        written.append(label)
        place = _skip(tokens, dot + 1, 1)
        top = token_at(tokens, place).lower
        if top in _TOP_LEVEL and not _another_dot(tokens, place + 1):
            return place + 1, ".".join([*written, top])
    return 0, ""


def _another_dot(tokens: Tokens, place: int) -> bool:
    """Whether a further label follows: the "co" of "dot co dot uk" is not the last."""
    dot = _skip(tokens, place, 1)
    following = token_at(tokens, _skip(tokens, dot + 1, 1))
    return (
        token_at(tokens, dot).lower in _DOTS
        and following.lower in _TOP_LEVEL
        and (not following.spaced or tokens[dot].is_word)
    )


def _label(tokens: Tokens, place: int) -> tuple[str, int]:
    """One label of a domain, of up to three words, and the place after it."""
    parts: list[str] = []
    while _part(token_at(tokens, place)) and len(parts) < 3:  # noqa: PLR2004
        token = tokens[place]
        if token.lower in _DOTS or token.lower == "at":
            break
        parts.append(token.lower)
        place += 1
        if token_at(tokens, place).text == "-" or token_at(tokens, place).lower in {
            "dash",
            "hyphen",
        }:
            parts.append("-")
            place += 1
    return "".join(parts), place


def _local(tokens: Tokens, place: int, done: int) -> tuple[int, list[str]]:
    """First place and parts of what stands before the "at"; no parts where nothing does."""
    place = _skip(tokens, place, -1)
    token = token_at(tokens, place)
    if not _part(token) or token.start < done:
        return place, []
    parts = [_said(token)]
    first = place
    while len(parts) < _LONGEST_LOCAL:
        before = token_at(tokens, place - 1)
        if before.start < done or (before.lower in _LINKS and place < 2):  # noqa: PLR2004
            break
        if before.lower in _LINKS and _part(tokens[place - 2]):
            linked = tokens[place - 2]
            if before.lower == "." and before.spaced:
                break
            if tokens[place].spaced and before.lower == "." and not before.is_word:
                break
            parts[:0] = [_said(linked), _LINKS[before.lower]]
            place -= 2
        elif (
            _part(before)
            and before.spaced
            and (_spelled(before) or _spelled(tokens[place]))
            and _fits(before)
        ):
            parts.insert(0, _said(before))
            place -= 1
        else:
            break
        first = place
    return first, parts


def _spelled(token: Token) -> bool:
    """Whether it is one letter, or a number: such pieces stand alone when one spells."""
    lower = token.lower
    return len(lower) == 1 or token.is_number or lower in DIGITS or lower in TEENS or lower in TENS


def _fits(token: Token) -> bool:
    """Whether it may be a piece of a name that is spelled."""
    return _spelled(token) or token.lower in REPEATS or token.lower not in _NO_LOCAL


def _said(token: Token) -> str:
    lower = token.lower
    for table in (DIGITS, TEENS, TENS):
        if lower in table:
            return str(table[lower])
    return lower
