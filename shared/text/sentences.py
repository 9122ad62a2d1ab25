"""Sentence boundaries by rule, for scripts with and without capitals, in linear time.

Every function here keeps the order and the content: joining the parts gives the text back.
"""
# ruff: noqa: RUF001, RUF003 - the punctuation of other scripts is this module's subject

import re
import unicodedata
from dataclasses import dataclass

# These may also stand inside a number, a name or an abbreviation: white space must follow.
_SOFT = ".!?…‥"
# Danda, Arabic and Urdu stops, CJK, Ethiopic, Burmese, Khmer: they mean nothing but an end.
_HARD = "।॥؟۔。！？｡።၊။។"
_MEANS_END = frozenset(_HARD)
_CLOSERS = "\"'”’»›)\\]}」』】》〉）"
_BREAKS = "\n\r\u2028\u2029"
# A set of characters and nothing else: the fastest search there is.
_STOP = re.compile(f"[{_SOFT}{_HARD}{_BREAKS}]")
# Possessive, and never starting twice in one run: no input takes more than one pass.
_MARK = re.compile(rf"(?P<mark>[{_SOFT}{_HARD}]++)(?P<close>[{_CLOSERS}]*+)(?P<gap>\s*+)")
_GAP = re.compile(r"\s++")
_LINE_BREAK = re.compile(f"[{_BREAKS}]")
_WORD_START = re.compile(r"[\s(\[{\"'“‘«¿¡/-]")
_LONGEST_ABBREVIATION = 16
_MAX_LIST_DIGITS = 3
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_BEFORE_NAME = re.compile(
    "mrs?|ms|mme|mlle|messrs|dr|prof|rev|hon|st|jr|gen|col|capt|lt|sgt|"
    "sr|sra|srta|dra|d|dña|uds?|excmo|sant|sta|डॉ|श्री|सुश्री|प्रो|पं|"
    "vs|cf|viz|approx|dept|est|inc|ltd|co|corp"
)
_BEFORE_NUMBER = re.compile(
    "nos?|nr|n[úu]m|arts?|figs?|pp?|pg|págs?|vol|cap|sec|ch|rs|tel|apt|ste|ext|rm|ver|eq|chap|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_CLAUSE_END = re.compile(r"[,;:،؛][\"'”’)]?(?=\s)|[、，；：]|\s[-–—](?=\s)|—")
_JOINERS = "\u200c\u200d"
_LONGEST_CLUSTER = 32


def split_sentences(text: str) -> list[str]:
    """The text as `[gap, sentence, gap, sentence, …, gap]`.

    Sentences have no white space at their ends; gaps are white space only and may be empty. A
    line break always ends a sentence. `"".join` gives the text back.
    """
    begin = place = len(text) - len(text.lstrip())
    visible = len(text.rstrip())
    parts = [text[:begin]]
    while stop := _STOP.search(text, place, visible):
        if mark := _MARK.match(text, stop.start()):
            place = mark.end()
            if _ends_sentence(text, begin, mark):
                parts += [text[begin : mark.end("close")], mark["gap"]]
                begin = place
        elif gap := _GAP.match(text, begin + len(text[begin : stop.start()].rstrip())):
            parts += [text[begin : gap.start()], gap[0]]
            begin = place = gap.end()
    if begin < visible:
        parts += [text[begin:visible], text[visible:]]
    return parts


def _ends_sentence(text: str, begin: int, token: re.Match[str]) -> bool:
    mark, gap = token["mark"], token["gap"]
    follower = text[token.end() : token.end() + 1]
    if not follower or _LINE_BREAK.search(gap):
        return True
    if not _MEANS_END.isdisjoint(mark):
        # 「え？」と: a quotation inside a sentence goes on.
        return bool(gap) or not token["close"]
    if not gap or follower.islower():
        return False
    return mark != "." or not _is_abbreviation(text, begin, token.start(), follower)


def _is_abbreviation(text: str, begin: int, dot: int, follower: str) -> bool:
    """Whether the full stop at `dot` belongs to the word before it."""
    start = max(begin, dot - _LONGEST_ABBREVIATION)
    word = _WORD_START.split(text[start:dot])[-1]
    if len(word) == dot - start and start > begin:
        return False  # The word is longer than any abbreviation.
    lowered = word.lower()
    if _BEFORE_NAME.fullmatch(lowered) or _INITIALS.fullmatch(word):
        return True
    if _BEFORE_NUMBER.fullmatch(lowered):
        return follower.isdigit()
    if word.isdigit():  # "2. Second item"
        return dot - len(word) == begin and len(word) <= _MAX_LIST_DIGITS
    return len(word) == 1 and word.isupper() and word != "I"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a text that is short enough for a model.

    Attributes:
        text: White space is collapsed to single spaces.
        ends_sentence: False where a sentence had to be cut.
    """

    text: str
    ends_sentence: bool


def chunk_text(text: str, *, limit: int, enough: int) -> list[Chunk]:
    """Whole sentences of at most `limit` characters together.

    A sentence that is longer is cut after a clause, else between words; a word only where it alone
    is longer.

    Args:
        text: Any text; line breaks end sentences.
        limit: Longest chunk, in characters.
        enough: A chunk of this length takes no further sentence: short chunks run in parallel.
    """
    chunks: list[Chunk] = []
    packed = ""
    for sentence in split_sentences(text)[1::2]:
        words = " ".join(sentence.split())
        if packed and len(packed) + 1 + len(words) > limit:
            chunks.append(Chunk(packed, ends_sentence=True))
            packed = ""
        packed = f"{packed} {words}" if packed else words
        if len(packed) > limit:
            *cut, packed = cut_long(packed, limit)
            chunks += [Chunk(part, ends_sentence=False) for part in cut]
        if len(packed) >= enough:
            chunks.append(Chunk(packed, ends_sentence=True))
            packed = ""
    if packed:
        chunks.append(Chunk(packed, ends_sentence=True))
    return chunks


def cut_long(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` characters; white space at the cuts is dropped."""
    parts = []
    start = 0
    while len(text) - start > limit:
        end = start + _cut_position(text[start : start + limit + 1], limit)
        parts.append(text[start:end].rstrip())
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
    if start < len(text):
        parts.append(text[start:])
    return parts


def _cut_position(window: str, limit: int) -> int:
    """Where to cut a window of `limit + 1` characters that starts with a visible one."""
    # An early clause would leave a chunk too short to sound right.
    clauses = [found.end() for found in _CLAUSE_END.finditer(window) if found.end() <= limit]
    if clauses and clauses[-1] >= limit // 4:
        return clauses[-1]
    for position in range(limit, 0, -1):
        if window[position].isspace():
            return position
    # One word is longer than the limit: keep at least its letters together with their marks.
    for position in range(limit, max(limit - _LONGEST_CLUSTER, 0), -1):
        joined = window[position] in _JOINERS or window[position - 1] in _JOINERS
        if not joined and not unicodedata.category(window[position]).startswith("M"):
            return position
    return limit
