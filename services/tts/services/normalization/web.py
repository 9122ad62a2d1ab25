"""Addresses of pages, of mailboxes, of people, and names of files."""

import re

from services.tts.services.normalization.numerals import below_hundred, digits
from services.tts.services.normalization.words import Reading, Style, Words, core_at, spell

_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|co|ai|app|dev|tv|me|eu|uk|us|ca|de|fr|es|it|nl|in|au"
    "|jp|cn|ru|br|ch|at|be|se|no|dk|fi|pl|pt|ie|nz|za|mx"
)
_PAGE = re.compile(
    r"(?:(?:https?|ftp)://\S+|www\.\S+|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
    rf"\.(?:{_DOMAINS})(?::[0-9]{{1,5}})?(?:[/?#]\S*)?)",
    re.IGNORECASE,
)
_SCHEME = re.compile("(?:https?|ftp)://", re.IGNORECASE)
_MAILBOX = re.compile(r"(?:mailto:)?[^\s@]+@[^\s@]+\.[A-Za-z]{2,24}")
_HANDLE = re.compile(r"@[A-Za-z0-9_.]+")
_TAG = re.compile(r"#[^\W\d]\w*")
_FILE = re.compile(
    r"[\w-]+\.(?:pdf|docx?|xlsx?|pptx?|txt|csv|json|xml|html?|css|jsx?|tsx?|py|go|rs|java|zip|gz|tar"
    r"|jpe?g|png|gif|svg|mp[34]|wav|flac|ogg|ya?ml|toml|md|exe|dll|so|net)",
    re.IGNORECASE,
)
_PART = re.compile(r"[A-Za-z]+|[0-9]+|.", re.DOTALL)
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+|.", re.DOTALL)
_LONGEST = 2_000
_MARKS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    "@": "at",
    ":": "colon",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "%": "percent",
    "+": "plus",
    "~": "tilde",
    ",": "comma",
    ";": "semicolon",
    "*": "star",
}
_SPELLED = frozenset(
    [
        *(
            "www",
            "io",
            "ai",
            "tv",
            "eu",
            "uk",
            "us",
            "ca",
            "de",
            "fr",
            "es",
            "nl",
            "au",
            "jp",
            "cn",
        ),
        *("br", "ch", "se", "dk", "pl", "pt", "nz", "za", "mx", "html", "htm", "php", "css", "js"),
        *("ts", "pdf", "csv", "xml", "svg", "png", "http", "https", "ftp", "api", "faq", "url"),
        *("mp", "md", "py", "rs", "xls", "xlsx", "doc", "docx", "ppt", "pptx", "txt", "gz", "dll"),
    ]
)
_SPOKEN_AS = {"jpg": "J peg", "jpeg": "J peg", "doc": "doc", "txt": "text"}


def read_address(words: Words, place: int, _: Style) -> Reading | None:
    """`https://example.com/a`, `joe@example.com`, `@joe`, `#topic`, `report.pdf`."""
    core = core_at(words, place)
    if len(core) > _LONGEST or core.isalpha():
        return None
    if _HANDLE.fullmatch(core):
        return Reading(f"at {spell_address(core[1:])}", place + 1)
    if _TAG.fullmatch(core):
        parts = (part for part in _CAMEL.findall(core[1:]) if part != "_")
        return Reading(f"hashtag {' '.join(map(_part, parts))}", place + 1)
    if _PAGE.fullmatch(core) and any(map(str.isalpha, core)):
        address = _SCHEME.sub("", core).rstrip("/")
        return Reading(spell_address(address), place + 1) if address else None
    if _MAILBOX.fullmatch(core) or _FILE.fullmatch(core):
        return Reading(spell_address(core.removeprefix("mailto:")), place + 1)
    return None


def spell_address(text: str) -> str:
    """`example dot com slash a`."""
    return " ".join(filter(None, map(_part, _PART.findall(text))))


def _part(part: str) -> str:
    if part in _MARKS:
        return _MARKS[part]
    lowered = part.lower()
    if lowered in _SPOKEN_AS:
        return _SPOKEN_AS[lowered]
    if lowered in _SPELLED:
        return spell(part)
    if part.isascii() and part.isdecimal():
        small = len(part) <= 2 and part[0] != "0"  # noqa: PLR2004 - longer ones are codes
        return below_hundred(int(part)) if small else digits(part)
    return part if part.isalnum() else ""
