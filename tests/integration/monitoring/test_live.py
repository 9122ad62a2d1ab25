"""A real Prometheus scrapes a real stack: what rules and panels name is exported."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import PortAllocator
from deploy.local.process import ChildProcess, base_environment, tail, wait_until
from deploy.local.stack import Stack, StackOptions
from tests.support.exported_metrics import TRITON_GPU_GAUGES
from tests.support.monitoring_files import (
    DASHBOARDS,
    RULES,
    panel_expressions,
    panels,
    rules,
    runnable,
)
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.promql import selectors

PROMETHEUS = shutil.which("prometheus")
JOBS = ("gateway", "asr", "tts", "nlp", "triton")
# Not in the embedded stack on this machine: Redis, a GPU.
ABSENT = {"speechgate_redis_fallbacks_total", *TRITON_GPU_GAUGES}
RECORDING = Path(
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav"
)
_SUFFIXES = ("_bucket", "_sum", "_count")
pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="apt package prometheus")


class Prometheus:
    """A Prometheus that scrapes a stack every second."""

    def __init__(self, folder: Path, stack: Stack, port: int) -> None:
        info = stack.info
        addresses = {"gateway": [info.gateway_url], **info.services}
        addresses["triton"] = [info.triton["metrics"].removesuffix("/metrics")]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in RULES],
            "scrape_configs": [
                {
                    "job_name": job,
                    "static_configs": [
                        {"targets": [url.removeprefix("http://") for url in addresses[job]]}
                    ],
                }
                for job in JOBS
            ],
        }
        path = folder / "prometheus.yml"
        path.write_text(json.dumps(config))  # JSON is YAML.
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "prometheus.log"
        self.process = ChildProcess(
            [
                str(PROMETHEUS),
                f"--config.file={path}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            base_environment(),
            self.log,
        )

    def get(self, path: str, **parameters: str) -> Any:
        """Data of an API call."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        data = self.get("query", query=expression)
        assert data["resultType"] in ("vector", "scalar")
        return data["result"] if data["resultType"] == "vector" else []

    def watches_all(self) -> bool:
        """Whether each process has been scraped."""
        try:
            if not httpx.get(f"{self.url}/-/ready").is_success:
                return False
        except httpx.HTTPError:
            return False
        found = self.query("up == 1")
        return {series["metric"]["job"] for series in found} == set(JOBS)


def use(stack: Stack) -> None:
    """A request of each kind, so that every service has something to count."""
    key = Path(stack.info.admin_key_file).read_text().strip()
    with httpx.Client(
        base_url=stack.info.gateway_url, headers={"Authorization": f"Bearer {key}"}, timeout=60
    ) as client:
        language = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
        body = {"input": [{"source": "The house is small."}], "config": language}
        assert client.post("/api/v1/nmt/inference", json=body).status_code == 200
        speech = {"model": "tts-1", "voice": "alloy", "input": "Hello.", "response_format": "wav"}
        assert client.post("/v1/audio/speech", json=speech).status_code == 200
        if RECORDING.exists():
            files = {"file": (RECORDING.name, RECORDING.read_bytes())}
            answer = client.post("/api/v1/asr/transcribe", files=files, data={"language": "en"})
            assert answer.status_code == 200
        assert client.get("/api/v1/nmt/languages", headers={"Authorization": ""}).is_client_error


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    ports = PortAllocator()
    run_dir = tmp_path_factory.mktemp("stack")
    with (
        OtlpReceiver().running() as receiver,
        # Spans are counted by processes that send them.
        Stack(
            StackOptions(run_dir=run_dir, env={"SPEECHGATE_OTLP_ENDPOINT": receiver.url})
        ) as stack,
    ):
        server = Prometheus(tmp_path_factory.mktemp("prometheus"), stack, ports.lease())
        server.process.start()
        try:
            assert wait_until(server.watches_all, 60, 0.5), tail(server.log)
            use(stack)
            time.sleep(3)  # Two scrapes later a rate is one.
            use(stack)
            time.sleep(3)
            yield server
        finally:
            server.process.stop()
            ports.release()


def test_everything_named_is_exported(prometheus: Prometheus) -> None:
    families = set(prometheus.get("metadata"))
    names = set(prometheus.get("label/__name__/values"))
    expressions = [rule["expr"] for rule in rules()]
    expressions += [text for path in DASHBOARDS for text in panel_expressions(path)]
    named = {name for text in expressions for name, _ in selectors(text) if ":" not in name}
    missing = {
        name
        for name in named - ABSENT - {"up", "ALERTS"}
        if name not in names
        and name not in families
        and not any(name.removesuffix(suffix) in families for suffix in _SUFFIXES)
    }
    assert missing == set()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_can_be_asked_for(prometheus: Prometheus, path: Path) -> None:
    for expression in panel_expressions(path):
        prometheus.query(runnable(expression))


@pytest.mark.parametrize(
    ("dashboard", "titles"),
    [
        ("speechgate-gateway", {"Requests", "Requests by route", "p95 by route", "Known replicas"}),
        ("speechgate-services", {"Audio recognized", "Real-time factor", "Sound made"}),
        ("speechgate-triton", {"Calls", "Requests", "Mean time of computing", "Servers"}),
        ("speechgate-dependencies", {"Database of the gateway", "Files in spools"}),
    ],
)
def test_panels_show_the_traffic(prometheus: Prometheus, dashboard: str, titles: set[str]) -> None:
    path = next(path for path in DASHBOARDS if path.stem == dashboard)
    shown = {
        panel["title"]
        for panel in panels(path)
        if all(prometheus.query(runnable(target["expr"])) for target in panel["targets"])
    }
    assert titles <= shown


def test_a_healthy_stack_fires_nothing(prometheus: Prometheus) -> None:
    groups = prometheus.get("rules")["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in found} == {"ok"}
    assert [rule["name"] for rule in found if rule.get("state") == "firing"] == []
