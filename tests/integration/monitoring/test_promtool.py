"""Prometheus's own tools take the rules, and Alertmanager's its configuration."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.monitoring_files import (
    DASHBOARDS,
    MONITORING,
    RULE_TESTS,
    RULES,
    panel_expressions,
    runnable,
)

PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="apt package prometheus")


def run(*command: str | Path | None) -> str:
    finished = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@needs_promtool
def test_the_configuration_is_one() -> None:
    run(PROMTOOL, "check", "config", MONITORING / "prometheus.yml")


@needs_promtool
def test_rules_are_well_formed() -> None:
    assert "FAILED" not in run(PROMTOOL, "check", "rules", *RULES)


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_only_then(path: Path) -> None:
    run(PROMTOOL, "test", "rules", path)


@needs_promtool
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_expressions_of_panels_parse(path: Path, tmp_path: Path) -> None:
    """As rules: promtool of Debian parses no bare expression."""
    lines = ["groups:", "  - name: panels", "    rules:"]
    for number, expression in enumerate(panel_expressions(path)):
        lines += [f"      - record: panel:{number}", "        expr: |", f"          {expression}"]
    rules = tmp_path / "panels.yml"
    rules.write_text(runnable("\n".join(lines)) + "\n")
    run(PROMTOOL, "check", "rules", "--lint=none", rules)


@pytest.mark.skipif(AMTOOL is None, reason="apt package prometheus-alertmanager")
def test_alertmanager_takes_its_configuration() -> None:
    run(AMTOOL, "check-config", MONITORING / "alertmanager.yml")
