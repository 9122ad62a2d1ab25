"""200 clients with one key at four gateways: never above the quota, and hardly below it.

`python -m tests.load.limits [--quota N] [--seconds S] [--gateways N] [--clients N]`. Clients ask
the gateways in turn and come back soon after a refusal, over more than two minutes' windows.

An admission is dated twice: by the clock of Redis, in whose log it is found; and by the clients, as
some time between sending and the answer. What the second says needs no word of the gateway.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from struct import unpack

import uvloop
from redis import Redis

from deploy.local.redis import RedisServer
from gateway.models.limits import MINUTE_S
from gateway.ratelimit.batch import LOGS
from tests.integration.gateway.harness import Installation, Program, bearer, make_upstream
from tests.load.contenders.base import HOST, Target
from tests.load.contenders.speechgate import install

GOAL_SHARE = 0.98
GOAL_TRIPS = 1.05  # Gateways have something to say now and then besides.
ALONE = 200
BODY = b'{"audio":"x"}'
_HUGE = 1_000_000
_PAUSE_S = 0.3
_PATIENCE_S = 20.0
_NANOSECONDS = 10**9


@dataclass
class Record:
    """What all clients saw; times are nanoseconds of this process.

    Attributes:
        statuses: How many answers there were of each.
        admitted: When each admitted request was sent, and when its answer was there.
        silent: Refusals that did not say when to come back.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    admitted: list[tuple[int, int]] = field(default_factory=list)
    silent: int = 0


class Client:
    """One client, with a connection to each gateway."""

    def __init__(self, targets: Sequence[Target], record: Record) -> None:
        self._targets = {target.port: target.encode(BODY) for target in targets}
        self._record = record
        self._open: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def ask(self, port: int) -> int:
        """The status of one request."""
        if port not in self._open:
            self._open[port] = await asyncio.open_connection(HOST, port)
        reader, writer = self._open[port]
        sent = time.monotonic_ns()
        writer.write(self._targets[port])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        received, status = time.monotonic_ns(), int(head.split(None, 2)[1])
        record = self._record
        record.statuses[status] += 1
        if status == 200:
            record.admitted.append((sent, received))
        elif b"\r\nretry-after: " not in head or b"\r\nratelimit: " not in head:
            record.silent += 1
        return status

    async def ask_until(self, end: float, first: int) -> None:
        """Ask the gateways in turn, beginning with one of them."""
        ports = list(self._targets)
        first %= len(ports)
        for port in cycle(ports[first:] + ports[:first]):
            if time.monotonic() >= end:
                return
            async with asyncio.timeout(_PATIENCE_S):
                status = await self.ask(port)
            if status != 200:
                await asyncio.sleep(_PAUSE_S)

    def close(self) -> None:
        """Leaves."""
        for _, writer in self._open.values():
            writer.close()


def hammer(targets: Sequence[Target], clients: int, seconds: float) -> Record:
    """So many clients for so long."""
    record = Record()

    async def run() -> None:
        all_of_them = [Client(targets, record) for _ in range(clients)]
        end = time.monotonic() + seconds
        await asyncio.gather(*(each.ask_until(end, n) for n, each in enumerate(all_of_them)))
        for each in all_of_them:
            each.close()

    uvloop.run(run())
    return record


def one_after_another(target: Target, requests: int) -> None:
    """One client that waits for each answer."""

    async def run() -> None:
        client = Client([target], Record())
        for _ in range(requests):
            assert await client.ask(target.port) == 200
        client.close()

    uvloop.run(run())


def most_certain(admitted: Sequence[tuple[int, int]], span_ns: int) -> int:
    """The most of them that began and ended within one span.

    Each was counted at some time in between: more than the quota would prove a breach.
    """
    most, ends = 0, list[int]()
    for sent, received in sorted(admitted, reverse=True):
        insort(ends, received)  # Of all that were sent since.
        most = max(most, bisect_left(ends, sent + span_ns))
    return most


def most_logged(times_us: Sequence[int]) -> int:
    """The most of the units in Redis's log that any minute holds; they are in order."""
    most = first = 0
    for last, moment in enumerate(times_us):
        while moment - times_us[first] >= MINUTE_S * 1_000_000:
            first += 1
        most = max(most, last - first + 1)
    return most


def counters(redis: Redis) -> tuple[int, int]:
    """Script calls so far, and how often Redis read from a connection."""
    stats, commands = redis.info("stats"), redis.info("commandstats")
    scripts = commands.get("cmdstat_evalsha", {"calls": 0})
    return int(scripts["calls"]), int(stats["total_reads_processed"])


@contextmanager
def round_trips(redis: Redis) -> Iterator[Callable[[int], float]]:
    """Yields a function: script calls or reads, whichever are more, per request made inside."""
    before, after = counters(redis), (0, 0)
    yield lambda requests: max(b - a for a, b in zip(before, after, strict=True)) / requests
    after = counters(redis)


def start(stack: ExitStack, folder: Path, gateways: int) -> tuple[Installation, list[Program], str]:
    """Everything that is needed, the gateways, and the address of their Redis."""
    upstream, redis = make_upstream(folder), RedisServer(folder / "redis")
    for component in (upstream, redis):
        stack.callback(component.stop)
        component.start()
    installation = install(folder, upstream.url, redis.url)
    programs = [installation.gateway() for _ in range(gateways)]
    for program in programs:
        stack.callback(program.stop)
        program.start()
    return installation, programs, redis.url


def drill(options: argparse.Namespace, folder: Path) -> bool:
    """Runs it and prints the figures; whether the goals hold."""
    quota = options.quota
    with ExitStack() as stack:
        installation, gateways, url = start(stack, folder, options.gateways)
        redis: Redis = stack.enter_context(Redis.from_url(url))
        key, text = asyncio.run(
            installation.create_key(per_minute=quota, per_hour=_HUGE, per_day=_HUGE)
        )
        _, other = asyncio.run(installation.create_key())
        single = Target(gateways[0].port, headers=bearer(other))
        one_after_another(single, 1)
        with round_trips(redis) as alone:
            one_after_another(single, ALONE)
        targets = [Target(gateway.port, headers=bearer(text)) for gateway in gateways]
        began = time.monotonic()
        with round_trips(redis) as together:
            record = hammer(targets, options.clients, options.seconds)
        took = time.monotonic() - began
        log = redis.get(LOGS + key.id.encode())
    assert isinstance(log, bytes)
    times = [int(each) for each in unpack(f"<{len(log) // 8}d", log)]
    requests, admitted = record.statuses.total(), len(record.admitted)
    # What was admitted first makes room again after a minute, and so on.
    room = quota * (1 + int(options.seconds // MINUTE_S))
    span = MINUTE_S * _NANOSECONDS
    print(
        f"{options.clients} clients, {options.gateways} gateways, {quota} a minute: "
        f"{requests} requests in {took:.0f} s, {dict(record.statuses)}"
    )
    verdicts = [
        goal(
            max(most_logged(times), most_certain(record.admitted, span)) <= quota,
            f"most in any {MINUTE_S} s: {most_logged(times)} by the clock of Redis, "
            f"{most_certain(record.admitted, span)} as clients can tell (goal ≤ {quota})",
        ),
        goal(len(times) == admitted, f"admitted {admitted}, counted {len(times)} (goal: equal)"),
        goal(
            admitted / room >= GOAL_SHARE,
            f"{admitted} of the {room} that there was room for: {admitted / room:.2%}"
            f" (goal ≥ {GOAL_SHARE:.0%})",
        ),
        goal(
            not record.silent and set(record.statuses) <= {200, 429},
            f"refusals without Retry-After or RateLimit: {record.silent} (goal: none)",
        ),
        goal(
            max(alone(ALONE), together(requests)) <= GOAL_TRIPS,
            f"round trips to Redis per request: {alone(ALONE):.2f} one after another, "
            f"{together(requests):.2f} at this load (goal ≤ {GOAL_TRIPS:.2f})",
        ),
    ]
    return all(verdicts)


def goal(held: bool, text: str) -> bool:  # noqa: FBT001 - it reads as a sentence
    """Print one line of the verdict."""
    print(f"  {'OK  ' if held else 'FAIL'} {text}")
    return held


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.limits", description=__doc__)
    parser.add_argument("--quota", type=int, default=3_000, help="requests in a minute")
    parser.add_argument(
        "--seconds", type=float, default=130.0, help="somewhat above a number of minutes"
    )
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--clients", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="speechgate-limits-") as folder:
        sys.exit(0 if drill(options, Path(folder)) else 1)


if __name__ == "__main__":
    main()
