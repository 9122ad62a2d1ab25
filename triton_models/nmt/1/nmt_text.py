"""Texts and modes of Apertium: bounds, escaping, and the *.mode files.

No process is started in here.
"""

import re
import shlex
import unicodedata
from typing import FrozenSet, List, NamedTuple

MAX_CHARACTERS = 5_000
# Apertium names its languages by ISO 639-3, clients by ISO 639-1.
ISO_639_3 = {"ca": "cat", "en": "eng", "es": "spa", "hi": "hin", "ur": "urd"}
SENTENCE_ENDS = ".?!…:;।\u06d4\u061f"  # the last two end Urdu sentences

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
# What Apertium's stream format gives a meaning; a backslash takes it away.
_RESERVED = re.compile(r"[\\^$/<>{}@\[\]]")
# Blanks that must come back as they are travel in [...], which no stage
# changes; so does the tilde, the wake-up mark of post-generation, and so do
# the brackets that stand for a client's tags: words may move past them.
_BLANK = re.compile(r"[^\S ]+| {2,}|~+|\u27e6[0-9]{1,3}\u27e7")
_FROM_STREAM = re.compile(r"\\(.)|\[((?:[^\]\\]|\\.)*)\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_KEPT = r"\[(?:[^\]\\]|\\.)*\]"
# A word that the target language drops (a pronoun, say) leaves both of its
# spaces, and before a mark that ends a part of a sentence the one too many.
# Escapes are looked for first: a client's bracket begins no blank.
_LEFT_OVER = re.compile(rf"(\\.|{_KEPT})| +(?=(?:{_KEPT})*([.,;:!?\u2026]))| {{2,}}", re.DOTALL)


class ClientError(Exception):
    """The request is at fault; the text is shown to the client."""


class EngineError(Exception):
    """The engine failed; another try may work."""


class Payload(NamedTuple):
    """One line as the pipeline reads it."""

    data: bytes
    added_stop: bool  # a full stop was added, to be taken off again
    spaced: FrozenSet[str]  # marks with a space before them
    indented: bool  # it begins with a space


def check_pair(source: bytes, target: bytes, served: List[str]) -> str:
    """Return the served pair ``en-es`` of two language tags.

    Raises:
        ClientError: malformed or not served.
    """
    codes = [raw[:64].decode("utf-8", "replace") for raw in (source, target)]
    pair = "-".join(re.split("[-_]", code)[0].lower() for code in codes)
    if not all(_LANGUAGE.fullmatch(code) for code in codes) or pair not in served:
        raise ClientError("unsupported_language: " + ",".join(served))
    return pair


def clean_text(raw: bytes) -> str:
    """Decode and bound one text.

    Raises:
        ClientError: not UTF-8, a NUL in it, or too long.
    """
    if len(raw) > 4 * MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a sentence")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClientError("invalid_text: not UTF-8") from error
    if "\0" in text:
        # It would end the sentence for the pipeline and shift all later replies.
        raise ClientError("invalid_text: a NUL character")
    if len(text) > MAX_CHARACTERS:
        raise ClientError(f"text_too_long: at most {MAX_CHARACTERS} characters a sentence")
    return text


def lines_of(text: str) -> List[str]:
    """Split at line feeds: a line is translated for itself."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def encode(line: str) -> Payload:
    """Write one line in Apertium's stream format, without its end mark.

    Like apertium-destxt it adds a full stop, which tells the tagger that the
    sentence is over. The pipeline must add a blank: without one, the bilingual
    stage keeps the last word back and the reply never comes.
    """
    kept = line
    if not line.isprintable():
        kept = "".join(
            " " if c not in "\t\n" and unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} else c
            for c in line
        )
    parts: List[str] = []
    done = 0
    for blank in _BLANK.finditer(kept):
        parts += [_RESERVED.sub(r"\\\g<0>", kept[done : blank.start()]), f"[{blank[0]}]"]
        done = blank.end()
    parts.append(_RESERVED.sub(r"\\\g<0>", kept[done:]))
    add_stop = not kept.rstrip().endswith(tuple(SENTENCE_ENDS))
    stream = "".join(parts) + ("." if add_stop else "")
    spaced = frozenset(found[2] for found in _LEFT_OVER.finditer(stream) if found[2])
    return Payload(stream.encode(), add_stop, spaced, kept.startswith(" "))


def decode(reply: bytes, payload: Payload) -> str:
    """Turn the reply to a payload back into plain text."""

    def mend(match: "re.Match[str]") -> str:
        if match[1]:
            return match[1]
        return "" if match[2] and match[2] not in payload.spaced else " "

    stream = _LEFT_OVER.sub(mend, reply.decode("utf-8", "replace"))
    text = _FROM_STREAM.sub(
        lambda match: match[1] if match[1] is not None else _ESCAPED.sub(r"\1", match[2]), stream
    )
    if not payload.indented:
        text = text.lstrip(" ")
    return text.removesuffix(".") if payload.added_stop else text


def parse_mode(mode: str) -> List[List[str]]:
    """Read a ``*.mode`` file: the pipeline's commands, ready for long-lived use.

    ``$1`` becomes ``-n`` (unknown words without their star), ``$2`` (an option
    to show ambiguity) goes, and every stage flushes at a NUL (``-z``).

    Raises:
        EngineError: not a plain pipeline.
    """
    try:
        lexer = shlex.shlex(mode, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError as error:
        raise EngineError("an Apertium mode with unbalanced quotes") from error
    stages: List[List[str]] = [[]]
    for word in words:
        if word == "|":
            stages.append([])
        elif word == "$1":
            stages[-1].append("-n")
        elif word != "$2":
            if re.fullmatch(r"[|&;<>()]+|.*[$`].*", word):
                raise EngineError("an Apertium mode that is more than a pipeline")
            stages[-1].append(word)
    if not all(stages):
        raise EngineError("an Apertium mode with an empty stage")
    return [[stage[0], "-z", *(part for part in stage[1:] if part != "-z")] for stage in stages]
