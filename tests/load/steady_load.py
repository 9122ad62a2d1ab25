"""Constant load on the gateway, open loop, with a record of every answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import httpx

from tests.load.contenders.base import PATH

READ_PATH = "/api/v1/asr/languages"
PATIENCE_S = 15.0


@dataclass(frozen=True)
class Sample:
    """One request.

    Attributes:
        kind: Which key it carried: `hot` (in use all the time), `new` (never seen before) or
            `limited` (few requests a minute).
        at: When it was to leave, `time.monotonic()`.
        seconds: Until the answer.
        status: The answer's, or the name of the client's error.
        variant: `X-Model-Variant` of the answer.
    """

    kind: str
    at: float
    seconds: float
    status: str
    variant: str


@dataclass
class Keys:
    """What the requests carry."""

    hot: str
    limited: str
    new: Iterator[str]


class SteadyLoad:
    """So many requests a second until it is stopped.

    Every other request is a read, which may be sent again. Besides, one request a second carries
    a new key, while there are any, and two a second the limited key.
    """

    def __init__(self, url: str, keys: Keys, rate: int) -> None:
        self._url = url
        self._keys = keys
        self._rate = rate
        self._task: asyncio.Task[None] | None = None
        self.use_new_keys = False
        self.samples: list[Sample] = []

    async def __aenter__(self) -> Self:
        """Starts it."""
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops it."""
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def since(self, start: float, end: float = float("inf")) -> list[Sample]:
        """Answered requests that left in an interval."""
        return [sample for sample in self.samples if start <= sample.at < end]

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=2_000, max_keepalive_connections=100)
        async with (
            httpx.AsyncClient(
                base_url=self._url, timeout=PATIENCE_S, limits=limits, trust_env=False
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            start, number = time.monotonic(), 0
            while True:
                at = start + number / self._rate
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                group.create_task(self._one(client, "hot", self._keys.hot, at, number))
                if number % (self._rate // 2) == 0:
                    group.create_task(self._one(client, "limited", self._keys.limited, at, 0))
                if self.use_new_keys and number % self._rate == 0:
                    key = next(self._keys.new, None)
                    if key is not None:
                        group.create_task(self._one(client, "new", key, at, 0))
                number += 1

    async def _one(
        self, client: httpx.AsyncClient, kind: str, key: str, at: float, number: int
    ) -> None:
        headers, variant = {"Authorization": f"Bearer {key}"}, ""
        try:
            if number % 2:
                answer = await client.get(READ_PATH, headers=headers)
            else:
                answer = await client.post(PATH, headers=headers, json={"audio": "x" * 160})
            status = str(answer.status_code)
            variant = answer.headers.get("x-model-variant", "")
        except httpx.HTTPError as error:
            status = type(error).__name__
        self.samples.append(Sample(kind, at, time.monotonic() - at, status, variant))


def of_kind(samples: Iterable[Sample], kind: str) -> list[Sample]:
    """Those with one key."""
    return [sample for sample in samples if sample.kind == kind]


def statuses(samples: Iterable[Sample]) -> Counter[str]:
    """How often each answer came."""
    return Counter(sample.status for sample in samples)


def longest(samples: Iterable[Sample]) -> float:
    """Seconds until the slowest answer."""
    return max((sample.seconds for sample in samples), default=0.0)
