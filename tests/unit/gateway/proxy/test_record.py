import asyncio
import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from gateway.proxy.record import _MAX_REMEMBERED, AccessLog, Facts, Observer, Record
from shared.metrics import Metrics
from shared.red import MAX_PLANS

TEXT = st.one_of(st.none(), st.text(max_size=20))
ROUTE = "/api/v1/asr/inference"


def record(observer: Observer, facts: Facts, seconds: float = 0.012) -> Record:
    return Record(observer.kind(facts), 1_700_000_000.25, seconds, "r" * 32, "t" * 32, 5, 7)


def facts(status: int = 200, variant: str | None = None, plan: str | None = "gold") -> Facts:
    return Facts("POST", ROUTE, status, variant, plan, "key", "tenant", "asr", "http://a", None)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5))
def test_every_line_is_json_with_what_happened(members: list[tuple[str | None, ...]]) -> None:
    async def run() -> bytes:
        written: list[bytes] = []
        log = AccessLog("gateway", enabled=True, write=written.append)
        observer = Observer(Metrics("gateway"), log)
        for variant, replica, code in members:
            known = (variant, "gold", "k", None, "asr", replica, code)
            log.add(record(observer, Facts("POST", ROUTE, 200, *known)))
        log.flush()
        return b"".join(written)

    lines = asyncio.run(run()).splitlines()
    assert len(lines) == len(members)
    for line, (variant, replica, code) in zip(lines, members, strict=True):
        found = json.loads(line)
        assert (found["event"], found["service"], found["route"]) == ("request", "gateway", ROUTE)
        assert (found["status"], found["duration_ms"]) == (200, 12.0)
        assert (found["bytes_in"], found["bytes_out"]) == (5, 7)
        assert datetime.fromisoformat(found["timestamp"]).timestamp() == 1_700_000_000.25
        assert (found.get("variant"), found.get("replica")) == (variant, replica)
        assert ("code" in found) == (code is not None)
        assert "tenant" not in found


async def test_lines_of_one_moment_share_a_write_and_none_is_held_for_long() -> None:
    written: list[bytes] = []
    arrived = asyncio.Event()

    def write(data: bytes) -> None:
        written.append(data)
        arrived.set()

    log = AccessLog("gateway", enabled=True, write=write)
    observer = Observer(Metrics("gateway"), log)
    for _ in range(10):
        log.add(record(observer, facts()))
    assert not written
    async with asyncio.timeout(5):
        await arrived.wait()
    assert [data.count(b"\n") for data in written] == [10]


def test_a_quiet_log_level_writes_nothing() -> None:
    log = AccessLog("gateway", enabled=False, write=lambda _: pytest_fail())
    log.add(record(Observer(Metrics("gateway"), log), facts()))
    log.flush()


def pytest_fail() -> None:
    raise AssertionError


async def test_requests_are_counted_by_route_plan_and_variant() -> None:
    metrics = Metrics("gateway", by_plan=True)
    observer = Observer(metrics, AccessLog("gateway", enabled=False), 2048)
    for status, variant, seconds in (
        (200, None, 0.001),
        (200, "candidate", 0.3),
        (503, "candidate", 0.002),
    ):
        observer.started()
        observer.finished(record(observer, facts(status, variant), seconds))
    text = generate_latest(metrics.registry).decode()
    common = f'method="POST",route="{ROUTE}",service="gateway"'
    by_plan = f'method="POST",plan="gold",route="{ROUTE}",service="gateway"'
    assert f'speechgate_http_requests_total{{{by_plan},status="200"}} 2.0' in text
    assert f'speechgate_http_requests_total{{{by_plan},status="503"}} 1.0' in text
    assert f"speechgate_http_request_duration_seconds_count{{{common}}} 3.0" in text
    variant = f'route="{ROUTE}",status="503",variant="candidate"'
    assert f"speechgate_model_requests_total{{{variant}}} 1.0" in text
    assert "speechgate_proxied_requests_in_flight 0.0" in text
    assert "speechgate_proxied_requests_max 2048.0" in text


async def test_plans_beyond_number_cost_neither_series_nor_memory() -> None:
    metrics = Metrics("gateway", by_plan=True)
    observer = Observer(metrics, AccessLog("gateway", enabled=False))
    plans = [f"plan-{number}" for number in range(_MAX_REMEMBERED + 100)]
    for plan in [*plans, None]:
        observer.started()
        observer.finished(record(observer, facts(plan=plan)))
    assert len(observer._kinds) <= _MAX_REMEMBERED
    text = generate_latest(metrics.registry).decode()
    counted = [
        line for line in text.splitlines() if line.startswith("speechgate_http_requests_total")
    ]
    assert len(counted) == MAX_PLANS + 2  # `other`, and nobody's.
    others = f'plan="other",route="{ROUTE}",service="gateway",status="200"'
    assert f'requests_total{{method="POST",{others}}} {len(plans) - MAX_PLANS}.0' in text
    assert 'plan=""' in text
    common = f'method="POST",route="{ROUTE}",service="gateway"'
    assert f"request_duration_seconds_count{{{common}}} {len(plans) + 1}.0" in text
