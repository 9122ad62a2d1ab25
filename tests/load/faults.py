"""Each component killed, stopped and slowed under load: what the gateway answers meanwhile.

`python -m tests.load.faults [--only redis,…] [--rate N]`, part of `make drill`. The stack: the
gateway, two replicas of a service, Redis, PostgreSQL, and Unleash where it is installed. Prints a
line per fault; exit status 1 when an answer was not the expected one.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop

from tests.load import fault_rules as rules
from tests.load.fault_stack import FaultStack, Part
from tests.load.steady_load import SteadyLoad, longest, of_kind, statuses

FAULT_S = 8.0
_BEFORE_S = 2.0
_CALM_S = 2.0
_RECOVERY_S = 20.0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: What the table calls it.
        group: What `--only` calls it.
        parts: What it befalls.
        how: Killed, stopped or slowed.
        rule: What has to be answered.
    """

    name: str
    group: str
    parts: list[Part]
    how: str
    rule: rules.Rule

    async def begin(self) -> None:
        """Breaks it."""
        await asyncio.gather(*(self._actions(part)[0]() for part in self.parts))

    async def end(self) -> None:
        """Mends it."""
        await asyncio.gather(*(self._actions(part)[1]() for part in self.parts))

    def _actions(
        self, part: Part
    ) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
        return {
            "killed": (part.kill, part.revive),
            "stopped": (lambda: part.signal(signal.SIGSTOP), lambda: part.signal(signal.SIGCONT)),
            "slowed": (part.slow, part.hasten),
        }[self.how]


def faults(stack: FaultStack) -> list[Fault]:
    """All of them, in the order of the table."""
    redis, database, (first, second) = stack.redis, stack.database, stack.replicas
    both = [first, second]
    table = [
        Fault("Redis", "redis", [redis], "killed", rules.redis_gone),
        Fault("Redis", "redis", [redis], "stopped", rules.redis_gone),
        Fault("Redis", "redis", [redis], "slowed", rules.redis_gone),
        Fault("PostgreSQL", "database", [database], "killed", rules.database_gone),
        Fault("PostgreSQL", "database", [database], "stopped", rules.database_gone),
        Fault("PostgreSQL", "database", [database], "slowed", rules.database_slow),
        Fault("1 of 2 replicas", "replica", [first], "killed", rules.one_replica_gone),
        Fault("1 of 2 replicas", "replica", [first], "stopped", rules.one_replica_gone),
        Fault("1 of 2 replicas", "replica", [first], "slowed", rules.slower_only),
        Fault("all replicas", "replicas", both, "killed", rules.all_replicas_gone),
        Fault("all replicas", "replicas", both, "stopped", rules.all_replicas_stopped),
        Fault("all replicas", "replicas", both, "slowed", rules.slower_only),
    ]
    if stack.flags is not None:
        table += [
            Fault("Unleash", "unleash", [stack.flags], how, rules.flags_gone)
            for how in ("killed", "stopped", "slowed")
        ]
    return table


async def retries(url: str) -> float:
    """How many requests the gateway has sent again so far."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"{url}/metrics")).text
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("speechgate_upstream_retries_total")
    )


async def observe(fault: Fault, load: SteadyLoad, url: str) -> rules.Observed:
    """Breaks, waits, mends, and waits until all is well for two seconds."""
    load.use_new_keys = fault.group == "database"
    start = time.monotonic()
    await asyncio.sleep(_BEFORE_S)
    retried, began = await retries(url), time.monotonic()
    await fault.begin()
    await asyncio.sleep(FAULT_S)
    retried = await retries(url) - retried
    stop = time.monotonic()
    await fault.end()
    mended = time.monotonic()

    def last_wrong() -> float:
        wrong = (s for s in load.since(stop) if s.kind != "limited" and s.status != "200")
        return max((s.at + s.seconds for s in wrong), default=0.0)

    while time.monotonic() - max(mended, last_wrong()) < _CALM_S:
        if time.monotonic() - mended > _RECOVERY_S:
            break
        await asyncio.sleep(0.1)
    load.use_new_keys = False
    return rules.Observed(
        began=began,
        ended=stop,
        before=load.since(start, began),
        during=load.since(began, stop),
        after=load.since(mended),
        retries=retried,
        recovery_s=max(0.0, last_wrong() - mended),
    )


def line(fault: Fault, seen: rules.Observed, problems: list[str]) -> str:
    """One row of the table."""
    hot = of_kind(seen.during, "hot")
    told = " ".join(f"{status}×{n}" for status, n in sorted(statuses(hot).items()))
    new = " ".join(f"{k}×{n}" for k, n in sorted(statuses(of_kind(seen.during, "new")).items()))
    after = " ".join(f"{k}×{n}" for k, n in sorted(statuses(of_kind(seen.after, "hot")).items()))
    row = (
        f"{fault.name:16}{fault.how:9}{told:28}{new or '–':16}{longest(hot):8.2f}"
        f"{seen.extra:8.1%}  {after:22}{seen.recovery_s:9.1f}  "
    )
    return row + ("OK" if not problems else "FAIL: " + "; ".join(problems))


HEADER = (
    f"{'component':16}{'':9}{'answers meanwhile':28}{'to new keys':16}{'longest':>8}{'extra':>8}"
    f"  {'answers after':22}{'recovery':>9}\n"
    f"{'':69}{'s':>8}{'tries':>8}  {'':22}{'s':>9}"
)


async def drill(folder: Path, only: list[str], rate: int) -> bool:
    """Runs all faults one after the other; whether every answer was as expected."""
    failed = 0
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(FaultStack.start(folder))
        load = await exits.enter_async_context(SteadyLoad(stack.url, stack.keys, rate))
        print(f"{rate} requests/s, open loop; each fault lasts {FAULT_S:.0f} s\n{HEADER}")
        for fault in faults(stack):
            if only and not {fault.group, f"{fault.group}:{fault.how}"} & set(only):
                continue
            seen = await observe(fault, load, stack.url)
            problems = fault.rule(seen)
            problems += ["did not recover"] if seen.recovery_s >= _RECOVERY_S - 1 else []
            failed += bool(problems)
            print(line(fault, seen, problems), flush=True)
        if stack.flags is None:
            print(f"Unleash: NOT MEASURED, {stack.why_no_flags}")
    print("\nall answers as expected" if not failed else f"\n{failed} not as expected")
    return not failed


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.faults", description=__doc__)
    parser.add_argument(
        "--only",
        default="",
        help="redis,database,replica,replicas,unleash, each also as replica:stopped",
    )
    parser.add_argument("--rate", type=int, default=50, help="requests a second")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    with (
        tempfile.TemporaryDirectory(prefix="speechgate-drill-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        sys.exit(0 if runner.run(drill(Path(folder), only, options.rate)) else 1)


if __name__ == "__main__":
    main()
