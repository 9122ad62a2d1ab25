"""Rules, rule tests, runbooks and dashboards fit each other and the code."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.routes import OWN_ROUTES, ROUTES
from gateway.settings import GatewaySettings
from services.asr.settings import AsrSettings
from services.nlp.settings import NlpSettings
from services.tts.settings import TtsSettings
from tests.support.exported_metrics import exported_metrics, samples
from tests.support.monitoring_files import (
    DASHBOARDS,
    MONITORING,
    ROOT,
    alerts,
    dashboard,
    panel_expressions,
    panels,
    recorded,
    rule_cases,
    rules,
)
from tests.support.promql import selectors

RUNBOOKS = ROOT / "docs/operations/runbooks"
ALERTS = alerts()
SAMPLES = samples()


def check_names(expression: str) -> None:
    for name, labels in selectors(expression):
        if ":" in name:
            assert name in recorded(), f"{name} is recorded by no rule"
            continue
        assert name in SAMPLES, f"no code exports {name}"
        known = SAMPLES[name]
        assert known is None or labels <= known, f"{name} has no label {labels - known}"


def test_the_code_is_read_right() -> None:
    known = {metric.name: metric for metric in exported_metrics()}
    assert len(known) > 70
    assert known["speechgate_http_requests_total"].labels == {
        *("service", "method", "route", "plan", "status")
    }
    assert known["speechgate_upstream_duration_seconds"].kind == "histogram"
    assert known["speechgate_key_lookups_total"].labels == {"source"}
    assert known["speechgate_flags_stale"].labels == frozenset()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_name_what_the_code_exports(rule: dict[str, str]) -> None:
    check_names(rule["expr"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_name_what_the_code_exports(path: Path) -> None:
    for expression in panel_expressions(path):
        check_names(expression)


def test_every_exported_metric_is_watched() -> None:
    """By a panel or a rule: what nobody looks at need not be counted."""
    expressions = [rule["expr"] for rule in rules()]
    expressions += [text for path in DASHBOARDS for text in panel_expressions(path)]
    named = {name for text in expressions for name, _ in selectors(text)}
    unwatched = {
        metric.name
        for metric in exported_metrics()
        if not named & {name for name, _ in metric.samples()}
    }
    assert unwatched == {"speechgate_recordings_kept_bytes_total"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "description", "runbook_url"} == set(alert["annotations"])
    path = ROOT / alert["annotations"]["runbook_url"]
    assert path == RUNBOOKS / f"{name}.md"
    text = path.read_text()
    for heading in ("## What it means", "## What to look at", "## What to do"):
        assert heading in text
    assert f"[{name}]({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_every_runbook_has_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {"README", *ALERTS}


def test_runbooks_name_what_there_is() -> None:
    """Metrics, settings and alerts in the text."""
    processes = (GatewaySettings, AsrSettings, TtsSettings, NlpSettings)
    settings = {name.upper() for one in processes for name in one.model_fields}
    families = {metric.name for metric in exported_metrics()} | SAMPLES.keys()
    for path in RUNBOOKS.glob("*.md"):
        text = path.read_text()
        for metric in re.findall(r"\b(?:speechgate|nv)_[a-z_]+\b", text):
            assert metric in families or f"{metric}_total" in families, (path.name, metric)
        for setting in re.findall(r"`SPEECHGATE_([A-Z_]+)`", text):
            assert setting in settings, (path.name, setting)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_both_ways(name: str) -> None:
    assert {fires for tested, fires in rule_cases() if tested == name} == {True, False}


def test_rules_repeat_no_setting() -> None:
    """What can be set is a metric, so that who sets it need not know of a rule."""
    for settings in (GatewaySettings, AsrSettings, TtsSettings, NlpSettings):
        for name, one in settings.model_fields.items():
            if "max" in name and isinstance(one.default, int) and one.default > 100:
                for rule in rules():
                    assert not re.search(rf"\b{one.default}\b", rule["expr"]), (name, rule)


def test_what_counts_as_quick_carries_no_audio() -> None:
    rule = next(
        rule
        for rule in rules()
        if rule.get("record") == "speechgate:quick_requests_slow:ratio_rate5m"
    )
    excluded = re.search(r'route!~"([^"]*)"', rule["expr"])
    assert excluded is not None
    for route in ROUTES:
        long = route.slow or route.transport.name != "HTTP"
        if long:
            assert re.fullmatch(excluded[1], route.template), route.template
    assert not re.fullmatch(excluded[1], "/api/v1/nmt/inference")
    assert not re.fullmatch(excluded[1], "/api/v1/nlp/sentiment/inference")
    for own in OWN_ROUTES:
        if own.composed:
            assert re.fullmatch(excluded[1], own.template), own.template


def test_kubernetes_has_the_same_rules() -> None:
    path = MONITORING / "kubernetes_rules.py"
    spec = importlib.util.spec_from_file_location("kubernetes_rules", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = module.objects()
    written = {file.name: file.read_text() for file in module.TARGET.iterdir()}
    assert written == expected, "run python3 deploy/monitoring/kubernetes_rules.py"
    for name, content in expected.items():
        document = yaml.safe_load(content)
        if document["kind"] == "PrometheusRule":
            source = MONITORING / "rules" / f"{Path(name).stem}.yml"
            assert document["spec"] == yaml.safe_load(source.read_text())


def test_dashboards_are_whole() -> None:
    documents = {path.stem: dashboard(path) for path in DASHBOARDS}
    assert {uid: document["uid"] for uid, document in documents.items()} == {
        uid: uid for uid in documents
    }
    for path in DASHBOARDS:
        numbers = [panel["id"] for panel in dashboard(path)["panels"]]
        assert len(set(numbers)) == len(numbers)
        for panel in panels(path):
            assert panel["datasource"]["uid"] == "${datasource}"
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
    listed = yaml.safe_load((MONITORING / "dashboards/kustomization.yaml").read_text())
    files = [name for one in listed["configMapGenerator"] for name in one["files"]]
    assert sorted(files) == [path.name for path in DASHBOARDS]


def test_prometheus_scrapes_every_kind_of_process() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    jobs = {one["job_name"] for one in config["scrape_configs"]}
    assert jobs >= {"gateway", "asr", "tts", "nlp", "triton"}


def test_alerts_that_inhibit_exist() -> None:
    text = json.dumps(yaml.safe_load((MONITORING / "alertmanager.yml").read_text()))
    for pattern in re.findall(r'alertname=~?\\"([^"\\]*)\\"', text):
        assert any(re.fullmatch(pattern, name) for name in ALERTS), pattern
