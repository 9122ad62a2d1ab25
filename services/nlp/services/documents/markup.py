"""HTML, and tags in plain text, as blocks of flat text among what stays as it is.

The reading of HTML follows the standard (https://html.spec.whatwg.org/#tokenization) as far as it
decides where text is, and never changes a byte of the rest. Translated is the text between tags,
block by block; inline tags, comments and scripts lie among it without width. What stands in
`code`, `kbd`, `samp`, `var`, `svg` or `math`, or in an inline element with `translate="no"` or the
class `notranslate`, is one held thing; `pre`, `textarea` and blocks that say so stay as they are.
Attributes stay. An element whose end is missing reaches to the end of the text, and so does a tag,
comment or script that is never closed.
"""

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from typing import NamedTuple

from services.nlp.services.documents.flat import OBJECT, Flat, Held, Tag

Part = str | Flat
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "label",
        "mark",
        "q",
        "s",
        "slot",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "wbr",
    }
)
_HELD = frozenset({"code", "kbd", "samp", "var", "svg", "math"})
_KEPT = frozenset({"pre", "textarea"})
_RAW = frozenset({"script", "style", "noembed", "noframes", "iframe", "xmp"})
_VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    }
)

_OPENER = re.compile(r"<(?:(!--)|([!?])|(/?)([A-Za-z][^\s/>]*))")
# Attributes with their quotes; possessive inside, so that a tag without an end costs one pass. Not
# the group itself: Python before 3.12 then forgets where it began.
_TAG_REST = re.compile(r"(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*>")
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]++)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>\"']++))?")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_LONGEST_OPEN = max(len(name) for name in html5 if not name.endswith(";"))
_TEXT_TAG = re.compile(r"</?[A-Za-z][\w:.-]{0,40}+(?:\s[^<>\n]{0,500}+)?>|<[\w:.-]{1,40}+/>")
_LOOKS_LIKE_HTML = re.compile(
    r"<!doctype\s|<!--|</?(?:html|body|div|p|span|a|b|i|em|strong|ul|ol|li|h[1-6]|table|tr|td|br"
    r"|img|code|pre|section|article)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)


def looks_like_html(text: str) -> bool:
    """Whether a text has a tag that only HTML has."""
    return _LOOKS_LIKE_HTML.search(text) is not None


def text_parts(text: str) -> list[Part]:
    """Plain text: one block, in which tags are kept."""
    if "<" not in text:
        return [Flat(text, text, {})]
    block = _Block(html=False)
    done = 0
    for found in _TEXT_TAG.finditer(text):
        block.add_plain(text[done : found.start()])
        if found[0].endswith("/>"):
            block.hold(found[0])
        else:
            block.tags.append(Tag(block.width, found[0]))
        done = found.end()
    block.add_plain(text[done:])
    return [block.flat()]


def html_parts(html: str) -> list[Part]:
    """HTML: its blocks of text, and the markup between them."""
    parts: list[Part] = []
    block = _Block(html=True)

    def boundary(raw: str) -> None:
        nonlocal block
        if block.width or block.tags:
            parts.append(block.flat())
            block = _Block(html=True)
        parts.append(raw)

    tokens = _tokens(html)
    for token in tokens:
        if not token.name:
            if token.is_text:
                block.add_html(token.raw)
            else:
                block.tags.append(Tag(block.width, token.raw))
            continue
        name = token.name
        opens = not token.closes and name not in _VOID
        if opens and (name in _HELD or name in _KEPT or name in _RAW or _is_closed_to_us(token)):
            raw = token.raw + ("" if _ends_itself(token) else _through_end(name, tokens))
            if name in _RAW:
                block.tags.append(Tag(block.width, raw))
            elif name in _KEPT or (name not in _INLINE and name not in _HELD):
                boundary(raw)
            else:
                block.hold(raw)
        elif name in _INLINE or name in _HELD:
            block.tags.append(Tag(block.width, token.raw))
        else:
            boundary(token.raw)
    boundary("")
    return parts


class _Token(NamedTuple):
    """A run of text, a tag (with its name), or something without width."""

    raw: str
    name: str = ""
    closes: bool = False
    is_text: bool = False


def _tokens(html: str) -> Iterator[_Token]:
    """The text in tokens; joined, they are the text."""
    done = 0
    while (opener := _OPENER.search(html, done)) is not None:
        if opener.start() > done:
            yield _Token(html[done : opener.start()], is_text=True)
        start = opener.start()
        end = _token_end(html, opener)
        name = (opener[4] or "").lower()
        yield _Token(html[start:end], name, bool(opener[3]))
        done = end
        if name in _RAW and not opener[3]:
            closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, done)
            end = closing.start() if closing else len(html)
            if end > done:
                yield _Token(html[done:end])
            done = end
    if done < len(html):
        yield _Token(html[done:], is_text=True)


def _token_end(html: str, opener: re.Match[str]) -> int:
    """Where the tag, comment or declaration ends; the end of the text if it never does."""
    if opener[1]:
        # `<!-->` is a whole comment, too.
        end = html.find("-->", opener.start() + 2)
        return end + 3 if end >= 0 else len(html)
    if opener[2]:
        if html.startswith("<![CDATA[", opener.start()):
            end = html.find("]]>", opener.end())
            return end + 3 if end >= 0 else len(html)
        end = html.find(">", opener.end())
        return end + 1 if end >= 0 else len(html)
    rest = _TAG_REST.match(html, opener.end())
    return rest.end() if rest else len(html)


def _through_end(name: str, tokens: Iterator[_Token]) -> str:
    """What follows an opening tag, with the closing one; elements of the same name may nest."""
    parts: list[str] = []
    depth = 1
    for token in tokens:
        parts.append(token.raw)
        if token.name == name:
            depth += -1 if token.closes else not _ends_itself(token)
            if depth == 0:
                break
    return "".join(parts)


def _ends_itself(token: _Token) -> bool:
    """`<svg/>`; in HTML proper a slash means nothing."""
    return token.name in {"svg", "math"} and token.raw.endswith("/>")


def _is_closed_to_us(token: _Token) -> bool:
    """Whether the author says that the element is not to be translated."""
    lowered = token.raw.lower()
    if "translate" not in lowered:
        return False
    for found in _ATTRIBUTE.finditer(lowered, len(token.name) + 1):
        value = (found[2] or "").strip("\"'")
        if found[1] == "translate" and value.strip() == "no":
            return True
        if found[1] == "class" and "notranslate" in value.split():
            return True
    return False


class _Block:
    """A flat text in the making."""

    def __init__(self, *, html: bool) -> None:
        self._html = html
        self._text: list[str] = []
        self._raw: list[str] = []
        self._held: dict[int, Held] = {}
        self.tags: list[Tag] = []

    @property
    def width(self) -> int:
        """Characters so far."""
        return len(self._raw)

    def hold(self, raw: str) -> None:
        """Add something that is kept."""
        self._held[self.width] = Held(raw, raw)
        self._text.append(OBJECT)
        self._raw.append(raw)

    def add_plain(self, text: str) -> None:
        """Add characters that mean themselves."""
        self._text.append(text)
        self._raw.extend(text)

    def add_html(self, text: str) -> None:
        """Add characters and entities; line breaks are spaces in HTML."""
        done = 0
        for found in _ENTITY.finditer(text):
            entity = _entity(found[0])
            if not entity:
                continue
            self._add_characters(text[done : found.start()])
            decoded = unescape(entity)
            if not decoded or decoded == entity:
                # No entity of HTML's, or no character.
                self.hold(entity)
            else:
                self._text.append(_spaced(decoded))
                self._raw.extend([entity, *[""] * (len(decoded) - 1)])
            done = found.start() + len(entity)
        self._add_characters(text[done:])

    def _add_characters(self, text: str) -> None:
        self._text.append(_spaced(text))
        self._raw.extend(text)

    def flat(self) -> Flat:
        """The block."""
        return Flat("".join(self._text), self._raw, self._held, self.tags, self._html)


def _entity(written: str) -> str:
    """What of `&copy2024` is an entity: old ones need no semicolon, and may have words behind."""
    if written[1] == "#" or written[1:] in html5:
        return written
    ends = range(min(len(written), _LONGEST_OPEN + 1), 2, -1)
    known = next((written[:end] for end in ends if written[1:end] in html5), "")
    return known or (written if written.endswith(";") else "")


_LINES = str.maketrans("\n\r\t\f\x0b", "     ")


def _spaced(text: str) -> str:
    return text.translate(_LINES)
