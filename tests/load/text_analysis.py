"""How fast the rules of text analysis are: `python -m tests.load.text_analysis`.

CPU time of this process, so that what runs beside it does not count. Conversations are made of the
lines of the tests' tables; hard texts are those of `tests.support.hard_texts`.
"""

import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.nlp.models.annotation import SummaryLength
from services.nlp.services.keywords import keywords
from services.nlp.services.summary import summarize
from shared.text.ner.find import find_entities
from shared.text.pii.find import find_pii
from tests.support.hard_texts import PARTS, hard_text

CASES = Path(__file__).resolve().parents[1] / "unit" / "shared" / "text"
MARK = re.compile(r"\[([^|\]]+)\|[^\]]+\]")
LONG, SHORT = 100_000, 10_000
TASKS: dict[str, Callable[[str], object]] = {
    "entities": find_entities,
    "personal data": find_pii,
    "key phrases": partial(keywords, language="en", count=10),
    "summary": partial(summarize, language="en", length=SummaryLength()),
}
GOAL_PER_CHARACTER_US = 20.0
GOAL_HARD_S = 6.0
GOAL_GROWTH = 25.0
"""Of the time, where the text grows tenfold."""


def seconds(task: Callable[[str], object], text: str) -> float:
    """CPU time of one call."""
    started = time.process_time()
    task(text)
    return time.process_time() - started


def ordinary() -> str:
    """Sentences and turns of conversations."""
    lines = []
    for name in ("ner_cases.txt", "pii_cases.txt"):
        lines += [line for line in (CASES / name).read_text().splitlines() if line[:1] != "#"]
    text = "\n".join(MARK.sub(r"\1", line) for line in lines)
    return (text * (LONG // len(text) + 1))[:LONG]


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    missed = 0
    text = ordinary()
    for name, task in TASKS.items():
        task(text[:SHORT])
        each = 1e6 * min(seconds(task, text) for _ in range(3)) / len(text)
        missed += each > GOAL_PER_CHARACTER_US
        print(f"{name:14} {each:6.2f} µs a character, {5e-3 * each * 1000:6.1f} ms for 5,000")
    for name, task in TASKS.items():
        worst, steepest = (0.0, ""), (0.0, "")
        for kind in PARTS:
            short = min(seconds(task, hard_text(kind, SHORT)) for _ in range(2))
            long = seconds(task, hard_text(kind, LONG))
            worst = max(worst, (long, kind))
            steepest = max(steepest, (long / max(short, 2e-3), kind))
        missed += worst[0] > GOAL_HARD_S or steepest[0] > GOAL_GROWTH
        print(
            f"{name:14} hardest 100,000 characters {worst[0]:5.2f} s ({worst[1]}),"
            f" steepest × {steepest[0]:4.1f} for ten times the text ({steepest[1]})"
        )
    print(
        f"goals: ≤ {GOAL_PER_CHARACTER_US} µs a character, ≤ {GOAL_HARD_S} s, × ≤ {GOAL_GROWTH}:"
        f" {'MISSED' if missed else 'met'}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
