"""Each part of the whole stack killed, stopped and slowed under a mixed load.

`python -m tests.load.full_faults [--only NAME,…]`, part of `make drill`. The stack is the one of
`make up STACK=full` with two gateways on one port and two replicas of recognition. Each result
that a client got is read back afterwards. Prints a line per fault; exit status 1 when one is not
as it should be.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import LauncherError
from deploy.local.stack import Stack, StackOptions
from tests.load import full_rules as rules
from tests.load.full_parts import How, Killed, Model, Part, Slowed, Stopped, Target
from tests.load.machine import others
from tests.support.mixed_load import LIVE, RATES, MixedLoad, told

FAULT_S = 8.0
_BEFORE_S = 2.0
_RECOVERY_S = 40.0
_IN_A_ROW = 3
_SPEECH = ("asr", LIVE)
_ALL = (*RATES, LIVE)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: What the table, and `--only`, calls it.
        targets: What it befalls.
        how: Killed, stopped or slowed.
        expected: What clients may see.
    """

    name: str
    targets: Sequence[Target]
    how: How
    expected: rules.Expected


def faults(stack: Stack) -> list[Fault]:
    """All of them, in the order of the table."""

    def parts(*names: str) -> list[Part]:
        return [Part(stack, name) for name in names]

    table: list[tuple[str, Sequence[Target], How, rules.Expected]] = [
        ("asr 1 of 2", parts("asr-1"), Killed, rules.one_of_two(*_SPEECH)),
        ("asr 1 of 2", parts("asr-2"), Stopped, rules.one_of_two(*_SPEECH)),
        ("asr 1 of 2", parts("asr-1"), Slowed, rules.UNNOTICED),
        ("asr 2 of 2", parts("asr-1", "asr-2"), Killed, rules.only_one(*_SPEECH)),
        ("tts", parts("tts"), Killed, rules.only_one("tts")),
        ("tts", parts("tts"), Stopped, rules.late("tts")),
        ("tts", parts("tts"), Slowed, rules.UNNOTICED),
        ("nlp", parts("nlp"), Killed, rules.only_one("nmt")),
        ("nlp", parts("nlp"), Stopped, rules.late("nmt")),
        ("nlp", parts("nlp"), Slowed, rules.UNNOTICED),
        ("gateway 1 of 2", parts("gateway"), Killed, rules.gateway_killed(*_ALL)),
        ("gateway 1 of 2", parts("gateway-2"), Stopped, rules.UNNOTICED),
        ("gateway 1 of 2", parts("gateway"), Slowed, rules.UNNOTICED),
        ("triton", parts("triton"), Killed, rules.only_one(*_ALL)),
        ("triton", parts("triton"), Stopped, rules.late(*_ALL)),
        ("triton", parts("triton"), Slowed, rules.UNNOTICED),
        ("model asr", [Model(stack, "asr")], Killed, rules.late("asr")),
        ("model asr", [Model(stack, "asr")], Stopped, rules.late(*_ALL)),  # See `late`.
        ("model tts", [Model(stack, "tts")], Killed, rules.late("tts")),
        ("postgres", parts("postgres"), Killed, rules.SPOOLED),
        ("postgres", parts("postgres"), Stopped, rules.SPOOLED),
        ("postgres", parts("postgres"), Slowed, rules.SPOOLED),
        ("postgres + asr", parts("postgres", "asr-1"), Killed, rules.one_of_two(*_SPEECH)),
        ("redis", parts("redis"), Killed, rules.UNNOTICED),
        ("redis", parts("redis"), Stopped, rules.UNNOTICED),
        ("redis", parts("redis"), Slowed, rules.UNNOTICED),
        ("unleash", parts("unleash"), Killed, rules.UNNOTICED),
        ("unleash", parts("unleash"), Stopped, rules.UNNOTICED),
        ("unleash", parts("unleash"), Slowed, rules.UNNOTICED),
    ]
    return [Fault(*row) for row in table]


async def observe(fault: Fault, load: MixedLoad) -> rules.Observed:
    """Breaks, waits, mends, waits for success, and reads back what was acknowledged."""
    start = time.monotonic()
    await asyncio.sleep(_BEFORE_S)
    trouble = fault.how(fault.targets)
    began = time.monotonic()
    try:
        await trouble.begin()
        await asyncio.sleep(FAULT_S - (time.monotonic() - began))
    finally:
        ended = time.monotonic()
        await trouble.end()
    # What heals itself does so while the fault lasts.
    heals = fault.how is Killed and all(target.heals for target in fault.targets)
    recovered = None
    while recovered is None or load.waiting(ended):
        if time.monotonic() - ended > _RECOVERY_S:
            break
        await asyncio.sleep(0.1)
        recovered = load.recovered(began if heals else ended, _IN_A_ROW)
    until = time.monotonic()
    lost = await load.lost(load.between(start, until))
    return rules.Observed(
        began=began,
        ended=ended,
        during=load.between(began, ended),
        after=[answer for answer in load.between(ended, until) if answer.at >= ended],
        recovery_s=recovered,
        lost=lost,
    )


def line(fault: Fault, seen: rules.Observed, problems: list[str]) -> str:
    """One row of the table."""
    longest = max((a.seconds for a in seen.during if a.kind != LIVE), default=0.0)
    errors = sum(not answer.good for answer in (*seen.during, *seen.after))
    recovery = "never" if seen.recovery_s is None else f"{seen.recovery_s:.1f}"
    return (
        f"{fault.name:15}{fault.how.name:9}{told(seen.during):44}{told(seen.after):30}"
        f"{errors:7}{longest:9.2f}{recovery:>10}{len(seen.lost):6}  "
        + ("OK" if not problems else "FAIL: " + "; ".join(problems))
    )


HEADER = (
    f"{'part':15}{'':9}{'answers meanwhile':44}{'answers after':30}"
    f"{'errors':>7}{'longest':>9}{'recovery':>10}{'lost':>6}\n{'':105}{'s':>9}{'s':>10}"
)


async def drill(stack: Stack, only: Sequence[str]) -> int:
    """Runs the faults one after the other; how many were not as they should be."""
    failed = 0
    folder = Path(stack.info.run_dir)
    async with MixedLoad(stack.info.gateway_url, stack.info.admin_key, folder) as load:
        rates = ", ".join(f"{kind} {rate}/s" for kind, rate in RATES.items())
        print(f"{rates}, one live stream at a time; each fault lasts {FAULT_S:.0f} s\n{HEADER}")
        for fault in faults(stack):
            if only and not {fault.name, f"{fault.name}:{fault.how.name}"} & set(only):
                continue
            try:
                seen = await observe(fault, load)
            except LauncherError as error:
                failed += 1
                print(f"{fault.name:15}{fault.how.name:9}FAIL: {error}", flush=True)
                continue
            problems = fault.expected.problems(seen)
            failed += bool(problems)
            print(line(fault, seen, problems), flush=True)
    return failed


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.full_faults", description=__doc__)
    parser.add_argument(
        "--only", default="", help="tts,redis:killed,asr 1 of 2,…: parts, or one fault of a part"
    )
    only = [name.strip() for name in parser.parse_args().only.split(",") if name.strip()]
    with tempfile.TemporaryDirectory(prefix="speechgate-drill-") as folder:
        options = StackOptions(
            kind="full",
            run_dir=Path(folder),
            asr_replicas=2,
            triton_instances=1,
            env={"SPEECHGATE_LOG_LEVEL": "warning"},
            process_env={"gateway": {"SPEECHGATE_REUSE_PORT": "true"}},
        )
        try:
            with others() as share, Stack(options) as stack:
                stack.add("gateway-2", "gateway")
                failed = asyncio.run(drill(stack, only))
        except LauncherError as error:
            print(f"NOT MEASURED: {error}")
            return 1
    print(f"\nother programs took {share():.0%} of the machine")
    print("all as expected" if not failed else f"{failed} not as expected")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
