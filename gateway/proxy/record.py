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
from shared.red import Counts, RequestTallies, Tally

_FLUSH_S = 0.05
_MAX_WAITING = 50
_MAX_REMEMBERED = 20_000


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


class Kind(NamedTuple):
    """What is worked out once for all requests of the same facts.

    Attributes:
        status: Of the answer.
        tally: Where they are counted, with their durations.
        by_variant: Likewise, by the model's variant.
        tail: The members of their log lines that are the same.
    """

    status: int
    tally: Tally
    by_variant: Tally | None
    tail: str


class Record(NamedTuple):
    """What is remembered of one request."""

    kind: Kind
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
            self._write("".join(map(_line, waiting)).encode())

    def tail(self, facts: Facts) -> str:
        """The members that are the same in many lines."""
        members = {
            "event": "request",
            "level": "info",
            "logger": "speechgate.access",
            "service": self._service,
            **{name: value for name, value in facts._asdict().items() if value is not None},
        }
        return orjson.dumps(members).decode()[1:] + "\n"


def _line(record: Record) -> str:
    kind, finished_at, seconds, request_id, trace_id, received, sent = record
    # The ids were checked when they were read: nothing in them needs an escape.
    return (
        f'{{"timestamp":"{_timestamp(finished_at)}","request_id":"{request_id}"'
        f',"trace_id":"{trace_id}","duration_ms":{seconds * 1000:.2f}'
        f',"bytes_in":{received},"bytes_out":{sent},{kind.tail}'
    )


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

    Attributes:
        in_flight: Requests.
        repeated: Counts of those that took a short cut, by its end.
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
        self._kinds: dict[Facts, Kind] = {}
        repeated = Counts(
            "speechgate_repeated_requests",
            "Requests like an earlier one of their client: answered past the parser, or begun so",
            "end",
            ("answered", "handed_over"),
        )
        metrics.registry.register(repeated)
        self.repeated = repeated.by
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
        kind, _, seconds, _, _, _, _ = record
        status, tally, by_variant, _ = kind
        if by_variant is None:
            tally.add(status, seconds)
        else:
            tally.add_like(by_variant, status, seconds)
        self.log.add(record)

    def kind(self, facts: Facts) -> Kind:
        """What requests of these facts share; callers may keep it."""
        return self._kinds.get(facts) or self._learn(facts)

    def _learn(self, facts: Facts) -> Kind:
        method, route, status, variant, plan = facts[:5]
        kind = Kind(
            status,
            self._metrics.requests.tally(self._metrics.service, method, route, plan=plan),
            self._variants.tally(route, variant) if variant is not None else None,
            self.log.tail(facts),
        )
        if len(self._kinds) >= _MAX_REMEMBERED:
            self._kinds.clear()
        self._kinds[facts] = kind
        return kind
