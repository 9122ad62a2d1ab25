"""A pool of replicas over a client, a clock and probes that do as told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.pool import ReplicaPool
from gateway.upstream.protocol import Header, UpstreamRequest
from shared.metrics import Metrics

REQUEST = UpstreamRequest("GET", "/", (), None)
A, B, C = "http://a", "http://b", "http://c"


class Response:
    def __init__(
        self, status: int, body: bytes = b"", headers: Sequence[Header] = (), *, more: bool = False
    ) -> None:
        self.status = status
        self.headers = headers
        self.parts = [body]
        self.more = more
        self.closed = 0

    def take(self) -> tuple[bytes, bool]:
        return (self.parts.pop() if self.parts else b""), self.more

    async def read(self) -> tuple[bytes, bool]:
        return self.take()

    def close(self) -> None:
        self.closed += 1


Told = int | Exception | Response


class Client:
    """Answers as told per replica: a status, or an error to raise; a list is used up in turn."""

    def __init__(self, **answers: "Told | list[Told]") -> None:
        self.answers: dict[str, Told | list[Told]] = {
            f"http://{name}": answer for name, answer in answers.items()
        }
        self.asked: list[str] = []
        self.requests: list[UpstreamRequest] = []
        self.lines: list[bytes] = []

    async def send(self, base_url: str, request: UpstreamRequest, lines: bytes = b"") -> Response:
        self.asked.append(base_url)
        self.requests.append(request)
        self.lines.append(lines)
        answer = self.answers[base_url]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Response) else Response(answer)

    upgrade = send

    async def close(self) -> None:
        return


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def healthy(_: str) -> None:
    return


async def unhealthy(_: str) -> None:
    raise ConnectionRefusedError


def make_pool(
    client: Client,
    *urls: str,
    probe: Callable[[str], asyncio.Future[None]] | object = healthy,
    clock: Clock | None = None,
    max_in_flight: int = 10,
    metrics: Metrics | None = None,
    **options: Any,
) -> ReplicaPool:
    return ReplicaPool(
        "asr",
        urls,
        client,
        probe,  # type: ignore[arg-type]
        UpstreamMetrics(metrics or Metrics("test")),
        max_in_flight=max_in_flight,
        clock=clock or Clock(),
        **options,
    )
