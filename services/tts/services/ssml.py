"""A safe subset of SSML 1.1 (https://www.w3.org/TR/speech-synthesis11/) as events.

| element | attributes |
|---|---|
| `speak` | `version`, `xmlns`, `xml:lang` |
| `p`, `s`, `lang` | `xml:lang` |
| `break` | `time` (at most 10 s), `strength` |
| `prosody` | `rate`, `pitch`, `volume` |
| `emphasis` | `level` |
| `say-as` | `interpret-as`, `format` |
| `sub` | `alias` |
| `mark` | `name` |

Anything else is refused, and the parser stops there: document types, entities of one's own,
processing instructions, other namespaces, and whatever names a file. expat reads nothing but the
text it is given.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn
from xml.parsers import expat

from services.tts.exceptions import (
    SsmlInvalidValue,
    SsmlMalformed,
    SsmlTooComplex,
    SsmlUnsupported,
)
from services.tts.services.ssml_events import (
    Bookmark,
    Boundary,
    Break,
    Event,
    Manner,
    SayAs,
    Substitute,
    Text,
    scaled,
)
from services.tts.services.ssml_values import (
    EMPHASIS,
    MOST_PAUSE_S,
    pitch_of,
    rate_of,
    seconds_of,
    strength_of,
    volume_of,
)

MOST_ELEMENTS = 2_000
MOST_DEPTH = 16
MOST_PAUSES_S = 120.0
_LONGEST_ATTRIBUTE = 500
_LONGEST_CONTENT = 500
_NAMESPACE = "http://www.w3.org/2001/10/synthesis"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")
_MARK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
_FORMAT = re.compile(r"[a-zA-Z0-9]{1,12}")
# Also what is before the root of a document, so that no such document is read out.
_STARTS_AS_SSML = re.compile(
    r"\s*+<(?:\?xml\b|!DOCTYPE\b|!--|(?:[A-Z_][A-Z0-9_.-]{0,31}:)?speak(?![A-Z0-9_.:-]))",
    re.IGNORECASE,
)
INTERPRETATIONS = frozenset(
    [
        *("cardinal", "number", "ordinal", "digits", "characters", "spell-out", "date", "time"),
        *("telephone", "currency", "fraction", "unit"),
    ]
)
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "speak": frozenset({"version", "xmlns", "xml:lang"}),
    "p": frozenset({"xml:lang"}),
    "s": frozenset({"xml:lang"}),
    "lang": frozenset({"xml:lang"}),
    "break": frozenset({"time", "strength"}),
    "prosody": frozenset({"rate", "pitch", "volume"}),
    "emphasis": frozenset({"level"}),
    "say-as": frozenset({"interpret-as", "format"}),
    "sub": frozenset({"alias"}),
    "mark": frozenset({"name"}),
}
_EMPTY = frozenset({"break", "mark"})
_TEXT_ONLY = frozenset({"say-as", "sub"})
# Elements of the specification that may be named to a client; any other name would be an echo.
_REFUSED = frozenset(
    ["audio", "desc", "lexicon", "lookup", "meta", "metadata", "phoneme", "token", "voice", "w"]
)


def looks_like_ssml(text: str) -> bool:
    """Whether a text begins as an SSML document does."""
    return _STARTS_AS_SSML.match(text) is not None


def parse_ssml(text: str, pointer: str) -> list[Event]:
    """The events of a document, in order.

    Args:
        text: The document.
        pointer: Of the text in the request (RFC 6901).

    Raises:
        SsmlMalformed: It is no well-formed XML.
        SsmlUnsupported: It has something that is not in the subset.
        SsmlInvalidValue: An attribute has a value without meaning, or out of bounds.
        SsmlTooComplex: It is too deep, or has too much of something.
    """
    return _Reader(pointer).read(text)


@dataclass(slots=True)
class _Element:
    """An element that is open."""

    name: str
    attributes: Mapping[str, str]
    manner: Manner
    content: list[str]


class _Reader:
    """Reads one document; the first violation ends it."""

    def __init__(self, pointer: str) -> None:
        self._pointer = pointer
        self._events: list[Event] = []
        self._open: list[_Element] = []
        self._elements = 0
        self._pauses_s = 0.0
        # The encoding that a declaration names is not the one the text has here.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse("A document type is not allowed.")
        self._parser.EntityDeclHandler = self._refuse("Entities are not allowed.")
        self._parser.ProcessingInstructionHandler = self._refuse(
            "Processing instructions are not allowed."
        )
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def read(self, text: str) -> list[Event]:
        try:
            self._parser.Parse(text.encode("utf-8"), True)  # noqa: FBT003 - expat knows no names
        except expat.ExpatError as error:
            raise SsmlMalformed(
                f"The SSML is not well-formed (line {error.lineno}).", self._pointer
            ) from None
        except UnicodeEncodeError:
            raise SsmlMalformed("The SSML has characters that are none.", self._pointer) from None
        return self._events

    def _refuse(self, detail: str) -> Callable[..., None]:
        def refuse(*_: Any) -> None:
            raise SsmlUnsupported(f"{detail[:-1]} {self._where()}.", self._pointer)

        return refuse

    def _where(self) -> str:
        return f"(line {self._parser.CurrentLineNumber})"

    def _unsupported(self, detail: str) -> NoReturn:
        raise SsmlUnsupported(f"{detail} {self._where()}.", self._pointer)

    def _invalid(self, detail: str) -> NoReturn:
        raise SsmlInvalidValue(f"{detail} {self._where()}.", self._pointer)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise SsmlTooComplex(f"SSML has at most {MOST_ELEMENTS} elements.", self._pointer)
        if len(self._open) >= MOST_DEPTH:
            raise SsmlTooComplex(f"SSML is at most {MOST_DEPTH} elements deep.", self._pointer)
        self._check(name, attributes)
        manner = self._manner(name, attributes)
        self._open.append(_Element(name, attributes, manner, []))
        if name in {"p", "s", "speak"}:
            self._events.append(Boundary())
        elif name == "break":
            self._events.append(Break(self._pause(attributes)))
        elif name == "mark":
            if not _MARK.fullmatch(attributes.get("name", "")):
                self._invalid("The name of a mark is of at most 64 letters, digits and _ . : -")
            self._events.append(Bookmark(attributes["name"]))

    def _check(self, name: str, attributes: Mapping[str, str]) -> None:
        known = _ATTRIBUTES.get(name)
        if known is None:
            what = f"The element {name}" if name in _REFUSED else "An element"
            self._unsupported(f"{what} is not supported")
        if (name == "speak") is bool(self._open):
            self._unsupported("The element speak is the root, and only that")
        parent = self._open[-1].name if self._open else ""
        if parent in _EMPTY or parent in _TEXT_ONLY:
            self._unsupported(f"The element {parent} holds no other element")
        if not attributes.keys() <= known:
            self._unsupported(f"An attribute of the element {name} is not supported")
        if any(len(value) > _LONGEST_ATTRIBUTE for value in attributes.values()):
            self._invalid(f"An attribute has at most {_LONGEST_ATTRIBUTE} characters")
        self._check_values(name, attributes)

    def _check_values(self, name: str, attributes: Mapping[str, str]) -> None:
        if attributes.get("xmlns", _NAMESPACE) != _NAMESPACE:
            self._unsupported("The namespace is not that of SSML")
        if not _LANGUAGE.fullmatch(attributes.get("xml:lang", "en")):
            self._invalid("xml:lang is an ISO 639 code, with a region if wanted")
        if name == "lang" and "xml:lang" not in attributes:
            self._invalid("The element lang needs xml:lang")
        if name == "say-as":
            if attributes.get("interpret-as") not in INTERPRETATIONS:
                known = ", ".join(sorted(INTERPRETATIONS))
                self._invalid(f"interpret-as is one of {known}")
            if not _FORMAT.fullmatch(attributes.get("format", "x")):
                self._invalid("format is of at most 12 letters and digits")
        if name == "sub" and not attributes.get("alias", "").strip():
            self._invalid("The element sub needs an alias")

    def _manner(self, name: str, attributes: Mapping[str, str]) -> Manner:
        manner = self._open[-1].manner if self._open else Manner()
        if "xml:lang" in attributes:
            manner = replace(manner, language=attributes["xml:lang"])
        if name == "emphasis":
            factors = EMPHASIS.get(attributes.get("level", "moderate"))
            if factors is None:
                self._invalid(f"level is one of {', '.join(EMPHASIS)}")
            return scaled(manner, *factors)
        if name != "prosody":
            return manner
        return scaled(
            manner,
            self._factor(attributes, "rate", rate_of, "a word, or 25% to 400%"),
            self._factor(attributes, "pitch", pitch_of, "a word, 50% to 200%, or semitones"),
            self._factor(attributes, "volume", volume_of, "a word, 0% to 200%, or decibels"),
        )

    def _factor(
        self,
        attributes: Mapping[str, str],
        name: str,
        read: Callable[[str], float | None],
        allowed: str,
    ) -> float:
        if name not in attributes:
            return 1.0
        factor = read(attributes[name].strip())
        if factor is None:
            self._invalid(f"{name} is {allowed}")
        return factor

    def _pause(self, attributes: Mapping[str, str]) -> float:
        seconds = strength_of(attributes.get("strength", "medium").strip())
        if seconds is None:
            self._invalid("strength is none, x-weak, weak, medium, strong or x-strong")
        if "time" in attributes:
            seconds = seconds_of(attributes["time"].strip())
            if seconds is None or seconds > MOST_PAUSE_S:
                self._invalid(f"time is at most {MOST_PAUSE_S:g}s, as in 500ms or 1.5s")
        self._pauses_s += seconds
        if self._pauses_s > MOST_PAUSES_S:
            raise SsmlTooComplex(
                f"The breaks are longer than {MOST_PAUSES_S:g} s together.", self._pointer
            )
        return seconds

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if element.name in _EMPTY:
            if text.strip():
                self._unsupported(f"The element {element.name} is empty")
        elif element.name in _TEXT_ONLY:
            element.content.append(text)
        else:
            self._events.append(Text(text, element.manner))

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if name in {"p", "s"}:
            self._events.append(Boundary())
        if name in _TEXT_ONLY:
            self._events += self._told(element)

    def _told(self, element: _Element) -> Iterable[Event]:
        source = " ".join("".join(element.content).split())
        if len(source) > _LONGEST_CONTENT:
            self._invalid(f"The element {element.name} has at most {_LONGEST_CONTENT} characters")
        if element.name == "sub":
            return [Substitute(source, element.attributes["alias"], element.manner)]
        if not source:
            return []
        kind = element.attributes["interpret-as"]
        return [SayAs(source, kind, element.attributes.get("format", ""), element.manner)]
