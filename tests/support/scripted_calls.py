"""Sales calls written for the tests, with the moments that a person marked in them.

A script is a text file: a head (`speakers`, `competitors`, `call`, `top`), a line of dashes, then
one segment a line, `A +0.8 | text`. The number is the silence before it in seconds, 0.4 where none
is written; a negative one is an overlap. The length of a segment follows from its words. Below a
segment stand the moments in it, `! objection_price unanswered`.
"""

import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "conversations"
WORDS_PER_SECOND = 2.7
_GAP_S = 0.4
_SEGMENT = re.compile(r"(?P<who>[A-Z])(?: (?P<gap>[+-][\d.]+))? \| (?P<text>.+)")


@dataclass(frozen=True)
class Label:
    """A moment that a person marked.

    Attributes:
        segment: Index; None for what is true of the whole call.
        answered: Of an objection; None for other moments.
    """

    rule_id: str
    segment: int | None = None
    answered: bool | None = None


@dataclass
class ScriptedCall:
    """One call.

    Attributes:
        top: Rules one of which should be the most important moment; empty when none is expected.
        scores: What the sentiment model said of each segment, -1 to 1.
    """

    name: str
    segments: list[dict[str, Any]] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    competitors: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    top: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


def read_calls(folder: Path = FOLDER) -> list[ScriptedCall]:
    """The calls of a folder, by name."""
    scores = folder / "sentiment.json"
    known = json.loads(scores.read_text()) if scores.exists() else {}
    calls = [_read(file) for file in sorted(folder.glob("*.txt"))]
    for call in calls:
        call.scores = known.get(call.name, [])
    return calls


def _read(file: Path) -> ScriptedCall:
    head, _, body = file.read_text().partition("\n---\n")
    call = ScriptedCall(file.stem)
    given = dict(line.split(": ", 1) for line in head.splitlines() if not line.startswith("#"))
    names: dict[str, str] = {}
    for number, entry in enumerate(given["speakers"].split()):
        letter, _, role = entry.partition("=")
        # As diarization names them: the names say nothing of who sells.
        names[letter] = f"SPEAKER_{number:02}"
        call.roles[names[letter]] = role
    call.competitors = _list(given.get("competitors", ""))
    call.top = _list(given.get("top", ""))
    call.labels = [Label(rule_id) for rule_id in _list(given.get("call", ""))]
    clock = 0.0
    for line in body.splitlines():
        if line.startswith("! "):
            rule_id, *state = line[2:].split()
            answered = state[0] == "answered" if state else None
            call.labels.append(Label(rule_id, len(call.segments) - 1, answered))
            continue
        found = _SEGMENT.fullmatch(line)
        assert found, f"{file.name}: {line}"
        text = found["text"]
        start = max(0.0, clock + float(found["gap"] or (_GAP_S if call.segments else 0)))
        end = start + len(text.split()) / WORDS_PER_SECOND
        call.segments.append(
            {
                "speaker": names[found["who"]],
                "start": round(start, 2),
                "end": round(end, 2),
                "text": text,
            }
        )
        clock = end
    return call


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def as_recognized(call: ScriptedCall, seed: int, error_rate: float = 0.08) -> list[dict[str, Any]]:
    """The segments as recognition writes them: small letters, no marks, some words wrong.

    Of the words that are wrong, half are replaced by another word of the call, a quarter is left
    out, and a quarter is said twice.
    """
    chance = random.Random(f"{call.name}/{seed}")
    plain = [re.sub(r"[^\w\s']", "", segment["text"].lower()).split() for segment in call.segments]
    vocabulary = sorted({word for words in plain for word in words})
    heard = []
    for segment, words in zip(call.segments, plain, strict=True):
        out: list[str] = []
        for word in words:
            if chance.random() >= error_rate:
                out.append(word)
                continue
            kind = chance.random()
            if kind < 0.5:
                out.append(chance.choice(vocabulary))
            elif kind < 0.75:
                continue
            else:
                out += [word, word]
        heard.append({**segment, "text": " ".join(out)})
    return heard
