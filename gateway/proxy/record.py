"""Metrics and the access log of proxied requests, at a few microseconds each."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
from prometheus_client import Gauge

from shared.metrics import LATENCY_BUCKETS_S, Metrics
from shared.red import RequestTallies, Tally

_FLUSH_S = 0.05
_MAX_WAITING = 2_000
_MAX_REMEMBERED = 20_000
_MAX_BOUND = 10_000


class Facts(NamedTuple):
    """What many requests share; None where one did not come so far."""

    method: str
    route: str
    status: int
    variant: str | None
    plan: str | None
    key_id: str | None
    tenant: str | None
    upstream: str | None
    replica: str | None
    code: str | None


class Record(NamedTuple):
    """What is remembered of one request."""

    facts: Facts
    finished_at: float
    seconds: float
    request_id: str
    trace_id: str
    received: int
    sent: int


class AccessLog:
    """Writes a line of JSON per request, many lines in one system call.

    Args:
        service: The `service` member of each line.
        enabled: Whether the log level includes it.
        write: Where the bytes go; standard output when absent.
    """

    def __init__(
        self, service: str, *, enabled: bool, write: Callable[[bytes], object] | None = None
    ) -> None:
        self._service = service
        self._enabled = enabled
        self._write = write or _to_stdout
        self._waiting: list[Record] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tails: dict[Facts, str] = {}

    def add(self, record: Record) -> None:
        """Note a request; written within 50 ms."""
        if not self._enabled:
            return
        self._waiting.append(record)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)
        elif len(self._waiting) >= _MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write("".join(map(self._line, waiting)).encode())

    def _line(self, record: Record) -> str:
        facts, finished_at, seconds, request_id, trace_id, received, sent = record
        tail = self._tails.get(facts) or self._tail(facts)
        # The ids were checked when they were read: nothing in them needs an escape.
        return (
            f'{{"timestamp":"{_timestamp(finished_at)}","request_id":"{request_id}"'
            f',"trace_id":"{trace_id}","duration_ms":{seconds * 1000:.2f}'
            f',"bytes_in":{received},"bytes_out":{sent},{tail}'
        )

    def _tail(self, facts: Facts) -> str:
        """The members that are the same in many lines, encoded once."""
        members = {
            "event": "request",
            "level": "info",
            "logger": "speechgate.access",
            "service": self._service,
            **{name: value for name, value in facts._asdict().items() if value is not None},
        }
        encoded = orjson.dumps(members).decode()[1:] + "\n"
        if len(self._tails) >= _MAX_REMEMBERED:
            self._tails.clear()
        self._tails[facts] = encoded
        return encoded


class _Second:
    """The text of the current second; lines of one second share it."""

    value = -1
    text = ""


def _timestamp(at: float) -> str:
    second = int(at)
    if second != _Second.value:
        _Second.value = second
        _Second.text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{_Second.text}.{int((at - second) * 1e6):06d}Z"


def _to_stdout(data: bytes) -> None:
    # Whole lines, past Python's own buffer: nothing of another thread's comes between.
    sys.stdout.flush()
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


class Observer:
    """Counts finished requests, by route, plan and model variant, and logs them.

    Args:
        metrics: Of the process.
        log: Where the lines go.
        max_in_flight: Places of requests, for whoever compares.
    """

    def __init__(self, metrics: Metrics, log: AccessLog, max_in_flight: int = 0) -> None:
        self.log = log
        self.in_flight = 0
        self._metrics = metrics
        self._variants = RequestTallies(
            "speechgate_model_requests",
            "speechgate_model_request_duration_seconds",
            "Requests by the model variant that a flag chose",
            ["route", "variant"],
            LATENCY_BUCKETS_S,
        )
        metrics.registry.register(self._variants)
        # Short cuts to series that are kept elsewhere: it may be cleared.
        self._bound: dict[tuple[str, str, str | None, str | None], tuple[Tally, Tally | None]] = {}
        gauge = Gauge(
            "speechgate_proxied_requests_in_flight",
            "Proxied requests being answered",
            registry=metrics.registry,
        )
        gauge.set_function(lambda: self.in_flight)
        places = Gauge(
            "speechgate_proxied_requests_max",
            "Proxied requests that this process takes at once",
            registry=metrics.registry,
        )
        places.set(max_in_flight)

    def started(self) -> None:
        """A request has arrived."""
        self.in_flight += 1

    def finished(self, record: Record) -> None:
        """Note a request."""
        self.in_flight -= 1
        method, route, status, variant, plan = record.facts[:5]
        key = (method, route, variant, plan)
        tallies = self._bound.get(key) or self._bind(*key)
        tallies[0].add(status, record.seconds)
        if tallies[1] is not None:
            tallies[1].add(status, record.seconds)
        self.log.add(record)

    def _bind(
        self, method: str, route: str, variant: str | None, plan: str | None
    ) -> tuple[Tally, Tally | None]:
        requests = self._metrics.requests
        bound = (
            requests.tally(self._metrics.service, method, route, plan=plan),
            self._variants.tally(route, variant) if variant is not None else None,
        )
        if len(self._bound) >= _MAX_BOUND:  # Plans beyond number, each of which has `other`.
            self._bound.clear()
        self._bound[method, route, variant, plan] = bound
        return bound
