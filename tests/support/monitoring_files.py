"""The rules, rule tests and dashboards of deploy/monitoring."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy/monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yml"))
RULE_TESTS = sorted((MONITORING / "tests").glob("*.yml"))
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
_QUERY = "label_values("


@cache
def rules() -> list[dict[str, Any]]:
    """All rules, in order."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """The alerting rules by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


@cache
def recorded() -> frozenset[str]:
    """Names of the recorded series."""
    return frozenset(rule["record"] for rule in rules() if "record" in rule)


@cache
def rule_cases() -> frozenset[tuple[str, bool]]:
    """The cases of the rule tests: an alert's name, and whether it must fire."""
    groups = [group for path in RULE_TESTS for group in yaml.safe_load(path.read_text())["tests"]]
    cases = [case for group in groups for case in group["alert_rule_test"]]
    return frozenset((case["alertname"], bool(case["exp_alerts"])) for case in cases)


def dashboard(path: Path) -> dict[str, Any]:
    """A dashboard's document."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def panels(path: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard that show something."""
    return [panel for panel in dashboard(path)["panels"] if panel["type"] != "row"]


def panel_expressions(path: Path) -> list[str]:
    """The expressions of a dashboard's panels, and the series that its variables list."""
    found = [target["expr"] for panel in panels(path) for target in panel["targets"]]
    for variable in dashboard(path)["templating"]["list"]:
        if variable["type"] == "query":
            query = variable["query"]["query"]
            found.append(query.removeprefix(_QUERY).rpartition(",")[0])
    return found


def runnable(expression: str) -> str:
    """An expression of a panel as Prometheus takes it, with every value of its variables."""
    return (
        expression.replace("$__rate_interval", "1m")
        .replace('"$route"', '".*"')
        .replace('"$model"', '".*"')
    )
