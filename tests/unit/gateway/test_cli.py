import json
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.environment import find_settings
from gateway.cli.keys import parse_duration

RUNNER = CliRunner()


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a local stack whose database was not migrated yet."""
    for name in ("DATABASE_URL", "REDIS_URL", "KEY_PEPPER_FILE"):
        monkeypatch.delenv(f"SPEECHGATE_{name}", raising=False)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pepper").write_text("0123456789abcdef" * 4)
    stack = {
        "databases": {"gateway": f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}"},
        "redis_url": None,
        "key_pepper_file": str(tmp_path / "secrets" / "pepper"),
        "run_dir": str(tmp_path),
    }
    (tmp_path / "stack.json").write_text(json.dumps(stack))
    return tmp_path


def invoke(*arguments: str, run_dir: Path) -> str:
    result = RUNNER.invoke(app, [*arguments, "--run-dir", str(run_dir)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_local_stack_is_found_by_its_folder(stack: Path) -> None:
    assert "0001" in invoke("db", "migrate", run_dir=stack)
    options = ("--name", "me", "--scope", "asr:infer", "--tenant", "acme", "--json")
    created = json.loads(invoke("keys", "create", *options, run_dir=stack))
    assert created["tenant"] == "acme"
    listed = json.loads(invoke("keys", "list", "--json", run_dir=stack))
    assert [key["id"] for key in listed] == [created["id"]]
    assert created["key"] not in json.dumps(listed)
    assert created["id"] in invoke("keys", "revoke", created["id"], run_dir=stack)
    listed = json.loads(invoke("keys", "list", "--json", run_dir=stack))
    assert listed[0]["state"] == "revoked"


def test_the_environment_comes_first(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECHGATE_DATABASE_URL", "sqlite+aiosqlite:///elsewhere.db")
    monkeypatch.setenv("SPEECHGATE_KEY_PEPPER_FILE", "elsewhere")
    assert find_settings(stack).database_url == "sqlite+aiosqlite:///elsewhere.db"


def test_without_either_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SPEECHGATE_DATABASE_URL", raising=False)
    with pytest.raises(typer.Exit) as caught:
        find_settings(tmp_path)
    assert caught.value.exit_code == 2
    assert "SPEECHGATE_DATABASE_URL" in capsys.readouterr().err


def test_an_unmigrated_database_is_one_line(stack: Path) -> None:
    result = RUNNER.invoke(app, ["keys", "list", "--run-dir", str(stack)])
    assert result.exit_code == 1
    assert "migrate" in result.output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("4w", timedelta(weeks=4)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-1d", "1.5h", "1y", "30d ", "٣d"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_duration(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", "a", "--scope", "*", "--expires-in", "soon"),
        ("create", "--name", "a", "--scope", "no scope"),
        ("create", "--name", "", "--scope", "*"),
        ("create", "--name", "a", "--scope", "*", "--per-minute", "0"),
        ("create", "--name", "a"),
        ("revoke", "nosuchkey123"),
    ],
)
def test_bad_command_lines_fail_without_a_traceback(
    stack: Path, arguments: tuple[str, ...]
) -> None:
    invoke("db", "migrate", run_dir=stack)
    result = RUNNER.invoke(app, ["keys", *arguments, "--run-dir", str(stack)])
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    assert json.loads(invoke("keys", "list", "--json", run_dir=stack)) == []
