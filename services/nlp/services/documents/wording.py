"""Spelling as translation models know it, and back to the writer's habit.

A model has seen `don't` and `2024`; `don’t`, and the year in digits of another script, are the same
to a reader and unknown words to it. What a model leaves as it was is given back as it was written,
so that none of this is seen where nothing is translated.
"""

import re
import unicodedata

from shared.text.clean import clean_text

_APOSTROPHE = re.compile("(?<=[^\\W\\d_])[\u2018\u2019\u02bc](?=[^\\W\\d_])")
_STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
# Soft hyphen, zero width space, word joiner: inside words, and seen by nobody.
_SEEN_BY_NOBODY = "\u00ad\u200b\u2060"
_UNSEEN = re.compile(f"[{_SEEN_BY_NOBODY}]")
BLANKS = _SEEN_BY_NOBODY + "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What no sentence begins or ends with: to `strip` by."""
_DIGIT = re.compile(r"[^\D0-9]")
# Letters of East Asian width, and the ligatures of typesetters.
_WIDE = re.compile("[\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06]")
_HYPHENS = str.maketrans("\u2010\u2011", "--")


def for_model(sentence: str) -> str:
    """The sentence in the spelling that models know: NFC, plain apostrophes, ASCII digits."""
    if sentence.isascii():
        return sentence
    seen = _UNSEEN.sub("", clean_text(sentence)).translate(_HYPHENS)
    seen = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), seen)
    seen = _DIGIT.sub(lambda found: str(unicodedata.digit(found[0])), seen)
    return _APOSTROPHE.sub("'", seen)


def as_writer(source: str, target: str) -> str:
    """The translation with the apostrophes that the writer of the source uses."""
    if "'" in target and "\u2019" in source and not _STRAIGHT.search(source):
        return _STRAIGHT.sub("\u2019", target)
    return target
