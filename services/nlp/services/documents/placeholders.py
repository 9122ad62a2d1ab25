"""What programs and people put into texts and no translation may change.

Every pattern is bounded, so that no text takes more than one pass with a small factor.
"""

import re

from services.nlp.services.documents.flat import Span

# Braces may be nested three deep, as in ICU messages.
_INNER = r"[^{}]{0,200}"
_NESTED = rf"{_INNER}+(?:\{{{_INNER}+(?:\{{{_INNER}+\}}{_INNER}+){{0,12}}\}}{_INNER}+){{0,12}}"
_WIDTH = r"[-#0+]{0,4}(?:\*|\d{1,4})?(?:\.(?:\*|\d{1,4}))?"
_ADDRESS_PART = r"(?:[^\s<>\"“”«»`{}\ufffc]|\{[\w.]{1,80}\})"
_KINDS = (
    # Addresses first: they contain what looks like other kinds.
    rf"(?:(?:https?|ftp|wss?|file)://|(?<!\w)www\.){_ADDRESS_PART}{{1,2000}}",
    r"(?<![\w.+-])[\w.+-]{1,255}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,63}",
    # {{x}}, {{{x}}}, {% x %}, ${x}, #{x}, %{x}, $t(x)
    r"\{\{\{[^{}]{1,200}\}\}\}|\{\{[^{}]{1,200}\}\}|\{%[^{}]{1,200}%\}",
    r"[$#%]\{[^{}]{1,200}\}|\$t\([^()]{1,200}\)",
    # {}, {name}, {0}, {user.name!r:>10}, {n, plural, one {# day} other {# days}}
    rf"\{{\s{{0,8}}(?:[\w.\[\]'-]{{1,80}}+\s{{0,8}})?(?:[,:!|]{_NESTED})?\}}",
    # %(name)s, %1$s, %-5.2f, %s, %@, %1, %%, %PATH%
    r"%\([\w.]{1,80}\)[-#0+]{0,4}\d{0,4}(?:\.\d{1,4})?[diouxXeEfFgGcrsa]",
    r"%\d{1,2}\$[-#0+]{0,4}\d{0,4}(?:\.\d{1,4})?(?:hh?|ll?|[qjzt])?[diouxXeEfFgGcsa@]",
    r"(?<![\w%])%[A-Z_]{2,40}%",
    rf"(?<![\d%])%{_WIDTH}(?:hh?|ll?|[qjzt])?[diouxXeEfFgGcrsa@]",
    r"(?<![\w%])%L?\d{1,2}(?![\d.,]*\d)|%%",
    # $VAR, &amp; in a text that is no HTML, :emoji:, @mention, `code`
    r"(?<![\d$])\$[A-Za-z_]\w{0,80}",
    r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});",
    r":(?=[\w-]{0,39}[A-Za-z+-])[A-Za-z0-9_+-]{2,40}:",
    r"(?<![\w@.])@[A-Za-z_][\w-]{1,40}",
    r"`[^`\n]{1,200}`",
)
_PLACEHOLDER = re.compile("|".join(f"(?:{kind})" for kind in _KINDS))
_HINT = re.compile(r"[{%$@`&]|:[\w/+-]|www")
_ADDRESS = re.compile(r"\w+://|www\.")
_TRAILING = ".,;:!?'’…"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def find_placeholders(text: str) -> list[Span]:
    """Placeholders of a text, in order; neighbours without anything between them are one."""
    if not _HINT.search(text):
        return []
    spans: list[Span] = []
    for found in _PLACEHOLDER.finditer(text):
        end = found.end()
        if _ADDRESS.match(found[0]):
            end = found.start() + len(_without_sentence_end(found[0]))
        if spans and spans[-1].end == found.start():
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(found.start(), end))
    return spans


def _without_sentence_end(address: str) -> str:
    """An address without the marks of the sentence around it."""
    while len(address) > 1:
        last = address[-1]
        opener = _PAIRS.get(last)
        unmatched = opener is not None and address.count(opener) < address.count(last)
        if last not in _TRAILING and not unmatched:
            break
        address = address[:-1]
    return address
