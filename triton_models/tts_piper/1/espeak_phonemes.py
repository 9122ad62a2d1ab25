"""Phonemes by eSpeak NG, run as a separate program.

eSpeak NG is GPL: it is only ever run as a program, never linked. The text goes through its
standard input, so it cannot be taken for an option or a file. The same file lies in tts_piper
and in tts_sherpa: a model's folder is complete in itself.
"""

import re
import shutil
import subprocess
import time
import unicodedata
from typing import List, NamedTuple, Optional, Sequence

from speech_request import ClientError, EngineError

# eSpeak reads lines of at most 1,000 bytes.
MAX_CLAUSE = 200
# A voice takes a sentence at once, and some end their process over one that is too long.
MAX_SENTENCE = 300
MAX_OUTPUT = 1 << 20
# What ends clauses, as the voices learnt it.
MARKS = {
    **dict.fromkeys(".।॥۔。…", "."),  # noqa: RUF001 - full stops of several scripts
    **dict.fromkeys("?؟？", "?"),  # noqa: RUF001
    **dict.fromkeys("!！", "!"),  # noqa: RUF001
    **dict.fromkeys(",،、，", ","),  # noqa: RUF001
    **dict.fromkeys(";؛；", ";"),  # noqa: RUF001
    **dict.fromkeys(":：", ":"),  # noqa: RUF001
    "\n": ".",
}
SENTENCE_ENDS = ".?!"

# Latin marks end a clause before a space only (3.14, example.org), the others anywhere. A run of
# marks is looked at once, from its start: every other way takes time by the square of its length.
_BREAK = re.compile(
    r"(?<![.,;:!?])[.,;:!?]+(?=[\s\"'”’»)\]]|$)|[।॥۔؟،؛。！？，、；：…]+|\n+"  # noqa: RUF001 - as in MARKS
)
# Other marks would make a clause of their own, of which nothing tells; those inside words and
# numbers stay, and those that are spoken.
_MARK = re.compile(r"(?<!\w)[.,:]|[.,:](?!\w)|[^\w\s.,:'’%&@#*/+=$€£₹°\-]")
# A change of voice inside a text, such as (en)…(hi), is marked so.
_VOICE_CHANGE = re.compile(r"\([a-z]{2,3}(?:-[a-z0-9-]+)?\)")
_VOICE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,10}){0,3}")


class Clause(NamedTuple):
    """What is spoken in one breath, and the mark after it (may be none)."""

    text: str
    mark: str


def clauses_of(text: str) -> List[Clause]:
    """Cut a text at its punctuation; what has nothing to speak is left out."""
    clauses: List[Clause] = []
    done = 0
    for found in _BREAK.finditer(text):
        # "?!" asks; "..." ends.
        _add(clauses, text[done : found.start()], MARKS[found[0][0]])
        done = found.end()
    _add(clauses, text[done:], ".")
    return clauses


def _add(clauses: List[Clause], text: str, mark: str) -> None:
    # What stands on a letter is no word character to a regular expression.
    kept = _MARK.sub(lambda one: one[0] if unicodedata.category(one[0])[0] == "M" else " ", text)
    words = " ".join(kept.split())
    if not any(unicodedata.category(c)[0] in "LN" for c in words):
        return
    *parts, last = cut(words, MAX_CLAUSE)
    clauses += [Clause(part, "") for part in parts]
    clauses.append(Clause(last, mark))


def cut(text: str, longest: int) -> List[str]:
    """Cut a text at spaces, where it has them, into parts of at most ``longest`` characters."""
    parts: List[str] = []
    while len(text) > longest:
        place = text.rfind(" ", 1, longest + 1)
        place = place if place > 0 else longest
        parts.append(text[:place].rstrip())
        text = text[place:].lstrip()
    return [*parts, text]


def sentences_of(
    clauses: Sequence[Clause], phonemes: Sequence[str], longest: int = MAX_SENTENCE
) -> List[str]:
    """Join the phonemes of clauses, with their marks, to sentences, or to parts of long ones."""
    sentences: List[str] = []
    current = ""
    for clause, spoken in zip(clauses, phonemes, strict=True):
        added = spoken and spoken + clause.mark
        if current and len(current) + len(added) >= longest:
            sentences.append(current)
            current = ""
        *whole, current = cut(f"{current} {added}".strip(), longest)
        sentences += whole
        if current and clause.mark in tuple(SENTENCE_ENDS):
            sentences.append(current)
            current = ""
    return [*sentences, current] if current else sentences


def parse_reply(output: str, count: int) -> Optional[List[str]]:
    """Read what eSpeak says to ``count`` lines that are each followed by an empty one.

    To a line it answers one or more lines, or an empty one when it is silent; to an empty line
    an empty one. None when the reply is of another form.
    """
    lines = [line.strip() for line in output.split("\n")]
    replies: List[str] = []
    place = 0
    for _ in range(count):
        first = place
        while place < len(lines) and lines[place]:
            place += 1
        replies.append(plain(" ".join(lines[first:place])))
        # The silent line's own, and the one after it.
        place += 2 if place == first else 1
    # The last line end is followed by nothing.
    return replies if place + 1 == len(lines) and lines[-2:] == ["", ""] else None


def plain(phonemes: str) -> str:
    """Return phonemes without marks of another voice, decomposed."""
    return unicodedata.normalize("NFD", " ".join(_VOICE_CHANGE.sub("", phonemes).split()))


class Phonemizer:
    """One eSpeak NG process for every call."""

    def __init__(self, timeout: float) -> None:
        """Find the program.

        Raises:
            EngineError: it is not installed.
        """
        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineError("espeak-ng is not installed (apt package espeak-ng)")
        self._program = program
        self._timeout = timeout

    def sentences(self, text: str, voice: str) -> List[str]:
        """Return the sentences of a text in IPA, decomposed, with their punctuation.

        Args:
            text: from ``clean_text``.
            voice: eSpeak's name of it, such as ``en-us``.

        Raises:
            ClientError: nothing in it is spoken.
            EngineError: the program failed, or knows no such voice.
        """
        if not _VOICE.fullmatch(voice):
            raise EngineError(f"{voice!r} is no name of an espeak-ng voice")
        clauses = clauses_of(text)
        if not clauses:
            raise ClientError("empty_text: nothing to speak")
        deadline = time.monotonic() + self._timeout
        reply = self._ask([clause.text for clause in clauses], voice, deadline)
        replies = parse_reply(reply, len(clauses))
        if replies is None:  # An odd text: one by one there is nothing to tell apart.
            replies = [plain(self._ask([clause.text], voice, deadline)) for clause in clauses]
        sentences = sentences_of(clauses, replies)
        if not sentences:
            raise ClientError("empty_text: nothing to speak")
        return sentences

    def _ask(self, lines: List[str], voice: str, deadline: float) -> str:
        try:
            done = subprocess.run(
                [self._program, "-q", "--ipa", "-v", voice],
                input="".join(f"{line}\n\n" for line in lines).encode("utf-8"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=max(deadline - time.monotonic(), 0.001),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError("espeak-ng did not answer in time") from error
        if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT:
            raise EngineError(f"espeak-ng failed with the voice {voice}")
        return done.stdout.decode("utf-8", "replace")
