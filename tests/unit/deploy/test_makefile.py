import subprocess

from deploy.local.services import PROJECT


def make(*arguments: str) -> str:
    return subprocess.run(
        ["make", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=30
    ).stdout


def test_help_is_the_default_and_lists_every_target() -> None:
    text = make()
    names = [
        "help",
        "setup",
        "demo",
        "up",
        "down",
        "status",
        "test",
        "check",
        "bench",
        "images",
        "compose-test",
        "scan",
        "lock",
        "clean",
    ]
    lines = [line.split() for line in text.splitlines()]
    assert [line[0] for line in lines if line and line[0] in names] == names
    assert text == make("help")


def test_options_reach_the_launcher() -> None:
    plan = make("--dry-run", "up", "STACK=full", "DETACH=1")
    assert "up --stack 'full' --detach" in plan
    assert "--detach" not in make("--dry-run", "up", "DETACH=0")


def test_a_warm_setup_says_nothing() -> None:
    make("setup")
    assert make("setup") == ""
