"""Names of the metrics that the code exports, read from the code itself."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("gateway", "services", "shared")
_COUNTERS = ("Counter", "CounterMetricFamily", "Counts")
_GAUGES = ("Gauge", "GaugeMetricFamily")
_HISTOGRAMS = ("Histogram", "HistogramMetricFamily", "Durations")
# What prometheus_client exports of each process, on Linux.
_PROCESS = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
# What Triton exports, by its documentation; the last two rows on machines with GPUs alone.
TRITON_COUNTERS = (
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    "nv_inference_queue_duration_us",
    "nv_inference_compute_infer_duration_us",
)
TRITON_GAUGES = (
    "nv_inference_pending_request_count",
    "nv_cpu_utilization",
    "nv_cpu_memory_used_bytes",
)
TRITON_GPU_GAUGES = (
    "nv_gpu_utilization",
    "nv_gpu_memory_used_bytes",
    "nv_gpu_memory_total_bytes",
)
# What Prometheus itself adds to each sample, or makes.
_TARGET_LABELS = frozenset({"job", "instance"})
_OWN = {"up": _TARGET_LABELS, "ALERTS": frozenset({"alertname", "alertstate", "severity"})}


@dataclass(frozen=True)
class Metric:
    """A family of samples.

    Attributes:
        name: As in the line `# TYPE`.
        kind: `counter`, `gauge` or `histogram`.
        labels: Of its own; None where the code does not say them literally.
    """

    name: str
    kind: str
    labels: frozenset[str] | None

    def samples(self) -> Iterator[tuple[str, frozenset[str] | None]]:
        """Names of its samples, and the labels that each may have."""
        labels = None if self.labels is None else self.labels | _TARGET_LABELS
        if self.kind != "histogram":
            yield self.name, labels
            return
        for suffix in ("_sum", "_count"):
            yield f"{self.name}{suffix}", labels
        yield f"{self.name}_bucket", None if labels is None else labels | {"le"}


@cache
def exported_metrics() -> tuple[Metric, ...]:
    """The families that the product's own processes export."""
    found = []
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    found += _made_by(node, node.func.id)
    return tuple(found)


def samples() -> dict[str, frozenset[str] | None]:
    """All samples that a rule or a panel may name, and their labels (None: not known)."""
    known: dict[str, frozenset[str] | None] = dict(_OWN)
    known |= dict.fromkeys(_PROCESS, _TARGET_LABELS)
    triton = _TARGET_LABELS | {"model", "version", "gpu_uuid"}
    known |= dict.fromkeys((*TRITON_COUNTERS, *TRITON_GAUGES, *TRITON_GPU_GAUGES), triton)
    for metric in exported_metrics():
        known |= dict(metric.samples())
    return known


def _made_by(call: ast.Call, maker: str) -> Iterator[Metric]:
    names = [_literal(argument) for argument in call.args]
    if not names or not isinstance(names[0], str) or not names[0].startswith("speechgate_"):
        return
    if maker == "RequestTallies":
        labels = _labels(call, 3)
        given = {word.arg for word in call.keywords}
        more = {"status", "plan"} if "by_plan" in given else {"status"}
        counted = None if labels is None else labels | more
        yield Metric(f"{names[0]}_total", "counter", counted)
        yield Metric(str(names[1]), "histogram", labels)
    elif maker in _COUNTERS:
        yield Metric(f"{names[0].removesuffix('_total')}_total", "counter", _labels(call, 2))
    elif maker in _GAUGES:
        yield Metric(names[0], "gauge", _labels(call, 2))
    elif maker in _HISTOGRAMS:
        yield Metric(names[0], "histogram", _labels(call, 2))


def _labels(call: ast.Call, position: int) -> frozenset[str] | None:
    """The labels of a family: a list, one name, or none at all."""
    given = next((word.value for word in call.keywords if word.arg in ("labels", "label")), None)
    if given is None and len(call.args) > position:
        given = call.args[position]
    if given is None:
        return frozenset()
    value = _literal(given)
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else None


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
