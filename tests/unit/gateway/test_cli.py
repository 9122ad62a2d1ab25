import contextlib
import json
import pty
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.environment import find_settings
from gateway.cli.output import parse_duration
from gateway.db.schema import MIGRATIONS
from shared.db.base import utc_now
from shared.db.revisions import head_revision

RUNNER = CliRunner()
PASSWORD = "correct horse battery staple"  # noqa: S105 - of users that only tests have


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


@pytest.fixture
def migrated(stack: Path) -> Path:
    """The folder of a local stack."""
    invoke("db", "migrate", run_dir=stack)
    return stack


def invoke(*arguments: str, run_dir: Path, stdin: str | None = None) -> str:
    result = RUNNER.invoke(app, [*arguments, "--run-dir", str(run_dir)], input=stdin)
    assert result.exit_code == 0, result.output
    return result.output


def ask(*arguments: str, run_dir: Path, stdin: str | None = None) -> Any:
    return json.loads(invoke(*arguments, "--json", run_dir=run_dir, stdin=stdin))


def refusal(*arguments: str, run_dir: Path, stdin: str | None = None) -> str:
    """What a command that fails says, without a traceback."""
    result = RUNNER.invoke(app, [*arguments, "--run-dir", str(run_dir)], input=stdin)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    return result.output


def test_a_local_stack_is_found_by_its_folder(stack: Path) -> None:
    assert head_revision(MIGRATIONS) in invoke("db", "migrate", run_dir=stack)
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
        ("create", "--name", "a", "--scope", "asr:everything"),
        ("create", "--name", "", "--scope", "*"),
        ("create", "--name", "a", "--scope", "*", "--per-minute", "0"),
        ("create", "--name", "a", "--scope", "*", "--max-concurrent", "99999999999"),
        ("create", "--name", "a"),
        ("revoke", "nosuchkey123"),
        ("update", "nosuchkey123", "--name", "b"),
        ("update", "nosuchkey123", "--model", "asr-large", "--any-model"),
        ("rotate", "nosuchkey123"),
        ("rotate", "nosuchkey123", "--overlap", "8d"),
    ],
)
def test_bad_command_lines_fail_without_a_traceback(
    migrated: Path, arguments: tuple[str, ...]
) -> None:
    refusal("keys", *arguments, run_dir=migrated)
    assert ask("keys", "list", run_dir=migrated) == []


def test_a_key_is_changed_and_rotated(migrated: Path) -> None:
    options = ("--name", "ci", "--scope", "asr:infer", "--scope", "platform:admin")
    more = ("--model", "asr-large", "--max-concurrent", "3", "--expires-in", "30d")
    made = ask("keys", "create", *options, *more, run_dir=migrated)
    assert (made["models"], made["limits"]["max_concurrent"]) == (["asr-large"], 3)
    assert made["scopes"] == ["asr:infer", "platform:admin"]

    changes = ("--scope", "tts:infer", "--any-model", "--max-concurrent", "0", "--per-day", "9")
    changed = ask("keys", "update", made["id"], *changes, "--expires-in", "never", run_dir=migrated)
    assert (changed["scopes"], changed["models"], changed["name"]) == (["tts:infer"], None, "ci")
    assert (changed["limits"]["max_concurrent"], changed["limits"]["per_day"]) == (None, 9)
    assert changed["expires_at"] is None

    rotated = ask("keys", "rotate", made["id"], "--overlap", "12h", run_dir=migrated)
    assert rotated["rotated_from"] == made["id"]
    assert rotated["key"] != made["key"]
    assert (rotated["scopes"], rotated["limits"]) == (changed["scopes"], changed["limits"])
    end = datetime.fromisoformat(rotated["previous"]["expires_at"])
    assert timedelta(hours=11, minutes=55) < end - utc_now() <= timedelta(hours=12)
    out = invoke("keys", "rotate", rotated["id"], run_dir=migrated)
    assert out.count("sg_live_") == 1
    assert rotated["id"] in out
    assert len(ask("keys", "list", run_dir=migrated)) == 3


def test_the_first_administrator_comes_by_the_command_line(migrated: Path) -> None:
    options = ("--email", "Root@Example.ORG", "--name", "Root", "--role", "admin")
    create = ("users", "create", *options, "--password-stdin")
    made = ask(*create, run_dir=migrated, stdin=f"{PASSWORD}\nnot this\n")
    assert (made["email"], made["roles"]) == ("root@example.org", ["admin"])
    assert "password" not in {name for name in made if name != "password_changed_at"}
    assert [user["id"] for user in ask("users", "list", run_dir=migrated)] == [made["id"]]
    table = invoke("users", "list", run_dir=migrated)
    assert "root@example.org" in table
    assert "default" in table

    assert "e-mail" in refusal(*create, run_dir=migrated, stdin=f"{PASSWORD}\n")  # it is taken
    last = refusal("users", "disable", "root@example.org", run_dir=migrated)
    assert "without an administrator" in last
    other = ("users", "create", "--email", "two@example.org", "--name", "Two", "--role", "admin")
    ask(*other, "--password-stdin", run_dir=migrated, stdin=PASSWORD)
    less = ("users", "set-roles", "root@example.org", "--role", "user", "--role", "api_client")
    assert ask(*less, run_dir=migrated)["roles"] == ["api_client", "user"]
    assert "roles that exist" in refusal(*less, "--role", "king", run_dir=migrated)
    roles = ask("users", "set-roles", "root@example.org", "--role", "admin", run_dir=migrated)
    assert roles["roles"] == ["admin"]
    disabled = ask("users", "disable", "ROOT@example.org", run_dir=migrated)
    assert disabled["disabled_at"] is not None
    assert ask("users", "enable", "root@example.org", run_dir=migrated)["disabled_at"] is None
    changed = ask(
        *("users", "set-password", "root@example.org", "--password-stdin"),
        run_dir=migrated,
        stdin="another battery staple\n",
    )
    assert changed["password_changed_at"] > made["password_changed_at"]


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("--email", "a@example.org", "--role", "admin"), PASSWORD),  # no name
        (("--email", "a@example.org", "--name", "A"), PASSWORD),  # no role
        (("--email", "a@example.org", "--name", "A", "--role", "king"), PASSWORD),
        (("--email", "nobody", "--name", "A", "--role", "user"), PASSWORD),
        (("--email", "a@example.org", "--name", "A", "--role", "user"), ""),
        (("--email", "a@example.org", "--name", "A", "--role", "user"), "short"),
        (
            ("--email", "a@b.org", "--name", "A", "--role", "user", "--organization", "typo"),
            PASSWORD,
        ),
    ],
)
def test_no_user_comes_of_a_bad_command_line(
    migrated: Path, arguments: tuple[str, ...], stdin: str
) -> None:
    said = refusal("users", "create", *arguments, "--password-stdin", run_dir=migrated, stdin=stdin)
    assert stdin == "" or stdin not in said
    assert ask("users", "list", run_dir=migrated) == []


def test_without_a_terminal_no_password_is_asked(migrated: Path) -> None:
    options = ("--email", "a@example.org", "--name", "A", "--role", "user")
    said = refusal("users", "create", *options, run_dir=migrated, stdin=f"{PASSWORD}\n")
    assert "--password-stdin" in said


def test_on_a_terminal_the_password_is_asked_twice_and_not_shown(migrated: Path) -> None:
    leader, follower = pty.openpty()
    with open(follower, "r+b", buffering=0) as terminal:  # noqa: PTH123 - a descriptor
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gateway.cli", "users", "create", "--role", "user"),
                *("--email", "a@example.org", "--name", "A", "--run-dir", str(migrated)),
            ],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
    seen = b""
    answers = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
    with open(leader, "r+b", buffering=0) as typed:  # noqa: PTH123
        try:
            with contextlib.suppress(OSError):  # Linux: the other side is closed.
                while part := typed.read(4096):
                    seen += part
                    # The space comes when the echo is off and what was typed before is dropped.
                    if seen.endswith(b": "):
                        typed.write(f"{next(answers)}\n".encode())
            assert process.wait(30) == 0, seen
        finally:
            process.kill()
            process.wait()
    assert PASSWORD.encode() not in seen
    assert b"do not match" in seen
    assert len(ask("users", "list", run_dir=migrated)) == 1


def test_organizations_and_plans(migrated: Path) -> None:
    quotas = ("--per-minute", "10", "--max-concurrent-per-tenant", "4")
    plan = ask("plans", "create", "--name", "gold", *quotas, run_dir=migrated)
    assert (plan["per_minute"], plan["per_hour"], plan["max_concurrent_per_tenant"]) == (
        10,
        None,
        4,
    )
    acme = ask("organizations", "create", "--name", "acme", "--plan", "gold", run_dir=migrated)
    assert acme["plan"] == plan
    assert "has this plan" in refusal("plans", "delete", "gold", run_dir=migrated)
    changes = ("--rename", "silver", "--per-minute", "0", "--per-day", "5")
    changed = ask("plans", "update", "gold", *changes, run_dir=migrated)
    assert (changed["name"], changed["per_minute"], changed["per_day"]) == ("silver", None, 5)
    assert "silver" in invoke("plans", "list", run_dir=migrated)

    assert ask("organizations", "suspend", "acme", run_dir=migrated)["suspended_at"] is not None
    assert "suspended" in invoke("organizations", "list", run_dir=migrated)
    assert ask("organizations", "resume", "acme", run_dir=migrated)["suspended_at"] is None
    assert ask("organizations", "set-plan", "acme", run_dir=migrated)["plan"] is None
    named = ask("organizations", "set-plan", "acme", "silver", run_dir=migrated)["plan"]
    assert named["name"] == "silver"
    assert "no plan of this name" in refusal(
        "organizations", "set-plan", "acme", "lead", run_dir=migrated
    )
    ask("organizations", "set-plan", "acme", run_dir=migrated)
    invoke("plans", "delete", "silver", run_dir=migrated)
    assert ask("plans", "list", run_dir=migrated) == []
    refusal("organizations", "create", "--name", "acme", run_dir=migrated)
    assert [item["name"] for item in ask("organizations", "list", run_dir=migrated)] == ["acme"]
