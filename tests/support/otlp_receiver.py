"""A receiver of traces: an HTTP server that takes OTLP as a collector does, and keeps the spans."""

import base64
import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

_IDS = frozenset({"traceid", "spanid", "parentspanid"})


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it came over the wire; ids in hexadecimal, times in seconds."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    started: float
    ended: float
    failed: bool
    attributes: dict[str, Any] = field(default_factory=dict)
    events: tuple[tuple[str, dict[str, Any]], ...] = ()

    def texts(self) -> Iterator[str]:
        """Every word that the span holds."""
        yield self.name
        for attributes in (self.attributes, *(one for _, one in self.events)):
            yield from (f"{name}={value}" for name, value in attributes.items())
        yield from (name for name, _ in self.events)


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _read(service: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        service,
        span.name,
        WireSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano / 1e9,
        span.end_time_unix_nano / 1e9,
        span.status.code == Status.STATUS_CODE_ERROR,
        _values(span.attributes),
        tuple((one.name, _values(one.attributes)) for one in span.events),
    )


def _parse(content_type: str, body: bytes) -> Any:
    """A request in either encoding that OTLP over HTTP has; Triton's exporter sends JSON."""
    if content_type.startswith("application/json"):
        document = json.loads(body, object_hook=_with_ids)
        return json_format.ParseDict(document, ExportTraceServiceRequest())
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    return request


def _with_ids(members: dict[str, Any]) -> dict[str, Any]:
    """Ids in the base64 that protobuf's own JSON has: in OTLP's they are hexadecimal."""
    for name, value in members.items():
        if name.replace("_", "").lower() in _IDS:
            members[name] = base64.b64encode(bytes.fromhex(value)).decode()
    return members


class OtlpReceiver:
    """Listens on loopback while its block runs.

    Attributes:
        url: What goes into `SPEECHGATE_OTLP_ENDPOINT`.
        spans: That came.
        delay_s: Before each answer.
        status: Of each answer.
    """

    def __init__(self) -> None:
        self.spans: list[ReceivedSpan] = []
        self.delay_s = 0.0
        self.status = HTTPStatus.OK
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                known = self.path == "/v1/traces"
                if known and receiver.status is HTTPStatus.OK:
                    receiver.take(_parse(self.headers["content-type"], body))
                time.sleep(receiver.delay_s)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(receiver.status if known else HTTPStatus.NOT_FOUND)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def take(self, request: Any) -> None:
        """Keep the spans of one request."""
        for one in request.resource_spans:
            service = str(_values(one.resource.attributes).get("service.name", ""))
            for scope in one.scope_spans:
                self.spans += [_read(service, span) for span in scope.spans]

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace, in the order in which they began."""
        found = [one for one in self.spans if one.trace_id == trace_id]
        return sorted(found, key=lambda one: one.started)

    def services(self, trace_id: str) -> Counter[str]:
        """How many spans of a trace each service sent."""
        return Counter(one.service for one in self.trace(trace_id))

    def wait(self, met: Callable[[], bool], timeout_s: float = 20.0) -> bool:
        """Whether something became so in time."""
        deadline = time.monotonic() + timeout_s
        while not met() and time.monotonic() < deadline:
            time.sleep(0.05)
        return met()

    @contextmanager
    def running(self) -> Iterator["OtlpReceiver"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
