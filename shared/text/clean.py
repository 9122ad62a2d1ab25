"""Text as models may see it: composed, and free of characters that nobody can read or say."""

import re
import unicodedata

# Vertical tab, form feed and NEL end a line; deleting them would glue two words together.
_LINE_BREAKS = re.compile("[\x0b\x0c\x85]")
# C0 and C1 controls but tab and line breaks, bidirectional overrides, the byte order mark,
# interlinear annotations, tag characters, surrogates and non-characters. Joiners (U+200C, U+200D)
# stay: Indic and Arabic scripts are spelled with them.
_PLANES = range(1, 17)
_NON_CHARACTERS = "".join(
    chr(plane * 0x10000 + offset) for plane in _PLANES for offset in (0xFFFE, 0xFFFF)
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f" + _NON_CHARACTERS + "]"
)
# Both patterns for ASCII: `str.translate` is several times as fast there.
_ASCII = {code: _UNSEEN.sub("", _LINE_BREAKS.sub("\n", chr(code))) or None for code in range(0x80)}


def clean_text(text: str) -> str:
    """The text in NFC, without control characters.

    Bound the length first: canonical ordering of a long run of marks is quadratic in CPython.
    """
    if text.isascii():
        return text.translate(_ASCII)
    return unicodedata.normalize("NFC", _UNSEEN.sub("", _LINE_BREAKS.sub("\n", text)))


def is_blank(text: str) -> bool:
    """Whether nothing but white space and unseen characters is there."""
    return not clean_text(text).strip()
