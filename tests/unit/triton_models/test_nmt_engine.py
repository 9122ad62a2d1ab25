"""The pipeline over small real programs: what dies, hangs or lies is found out."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

# Answers each NUL-ended payload in upper case, except those it is told to fail on.
STAGE = """
import os, sys, time
held = b""
while True:
    data = os.read(0, 65536)
    if not data:
        break
    held += data
    *whole, held = held.split(b"\\0")
    for payload in whole:
        if b"die" in payload:
            os.write(1, b"\\0")
            sys.exit(1)
        if b"hang" in payload:
            time.sleep(60)
        os.write(1, payload.upper() + b"\\0" * (2 if b"twice" in payload else 1))
"""


@pytest.fixture
def translator(nmt: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # The stand-ins know no -z.
    stages = [["cat"], [sys.executable, "-c", STAGE]]
    (tmp_path / "eng-spa.mode").write_text("cat | cat")
    monkeypatch.setattr(nmt, "parse_mode", lambda _: stages)
    made = nmt.Translator(["en-es", "es-en"], tmp_path, 0.7)
    yield made
    made.close()


def test_replies_keep_their_order_and_lines(translator: Any) -> None:
    texts = [b"one", b"", b"two\n\n three", b"  ", b"four."]
    assert translator.pairs == ["en-es"]
    expected = ["ONE", "", "TWO\n\n THREE", "  ", "FOUR."]
    assert translator.translate("en-es", texts) == expected


def test_more_than_the_pipes_hold_goes_through(translator: Any) -> None:
    texts = [f"{number} ".encode() * 800 for number in range(90)]
    assert translator.translate("en-es", texts) == [text.decode().upper() for text in texts]


@pytest.mark.parametrize("bad", [b"die", b"hang", b"twice"])
def test_a_sentence_that_breaks_the_pipeline_fails_alone(
    nmt: ModuleType, translator: Any, bad: bytes
) -> None:
    outcomes = translator.translate("en-es", [b"one", bad, b"two", b"\xff", b"three"])
    assert [outcomes[0], outcomes[2], outcomes[4]] == ["ONE", "TWO", "THREE"]
    # An extra reply comes after a right one: noticed, and nothing is shifted.
    assert outcomes[1] == "TWICE" if bad == b"twice" else isinstance(outcomes[1], nmt.EngineError)
    assert isinstance(outcomes[3], nmt.ClientError)
    assert translator.translate("en-es", [b"again"]) == ["AGAIN"]


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_or_stuck_stage_is_replaced(translator: Any, stage: int, number: int) -> None:
    assert translator.translate("en-es", [b"one"]) == ["ONE"]
    before = translator.pids["en-es"]
    os.kill(before[stage], number)
    assert translator.translate("en-es", [b"two", b"three"]) == ["TWO", "THREE"]
    assert not set(before) & set(translator.pids["en-es"])
    for pid in before:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_stages_finish_what_they_have_before_the_next_one_runs(translator: Any) -> None:
    translator.translate("en-es", [b"a"])
    pids = translator.pids["en-es"]
    assert {os.sched_getscheduler(pid) for pid in pids} == {os.SCHED_BATCH}


def test_no_mode_names_the_packages(nmt: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(nmt.EngineError, match="apt packages apertium-eng-spa"):
        nmt.Translator(["en-es"], tmp_path, 1.0)


def test_a_mode_whose_data_are_missing_is_not_served(nmt: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "eng-spa.mode").write_text("cat /nowhere/x.bin")
    (tmp_path / "spa-eng.mode").write_text("no-such-program-here x")
    (tmp_path / "eng-cat.mode").write_text("cat")
    assert list(nmt.installed(["en-es", "es-en", "en-ca"], tmp_path)) == ["en-ca"]
