"""Each deployable restarted under a mixed load: no request may fail.

`python -m tests.load.rolling [--only NAME,…]`, part of `make drill`. The whole stack, with two
replicas of recognition. New processes are ready before the old ones get SIGTERM: gateways share
their port, replicas of services are told by a file. Services with several replicas are restarted
in place as well, with no word to the gateway. The inference server is replaced by a second one
beside it, and the services by such as use that; restarted in place it refuses, which is shown
last. Prints a line per restart; exit status 1 when a request failed, a live stream did not say
what it should, or a result was lost.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.process import LauncherError
from deploy.local.stack import Stack, StackOptions
from deploy.local.triton import TritonServer
from tests.load.machine import others
from tests.support.mixed_load import LIVE, PATIENCE_S, MixedLoad, told
from tests.support.poll import eventually
from tests.support.rolling import SERVICES, Roller, settings

_BEFORE_S, _AFTER_S = 2.0, 4.0
_BOUND_S = 180.0
HEADER = f"{'restarted':34}{'answers':44}{'failed':>7}{'lost':>6}{'longest':>9}{'took':>7}"


class Restarts:
    """What is restarted, and how.

    Args:
        stack: Started with `settings`.
        folder: For the second inference server.
    """

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._second = TritonServer(stack.options.repository, folder / "second", instances=1)
        self._roller = Roller(stack, folder)

    def all(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """In the order of the table."""
        roller = self._roller
        return {
            "gateway": lambda: roller.replace("gateway"),
            "asr": lambda: roller.replace("asr"),
            "tts": lambda: roller.replace("tts"),
            "nlp": lambda: roller.replace("nlp"),
            "asr in place": lambda: roller.restart("asr"),
            "triton beside": self._inference_beside,
            "triton in place": self._inference_in_place,
        }

    def close(self) -> None:
        """Ends what is not the stack's."""
        self._second.close()

    async def _inference_beside(self) -> None:
        await asyncio.to_thread(self._second.start)
        for kind in SERVICES:
            await self._roller.replace(kind, {"SPEECHGATE_TRITON_URL": self._second.grpc_url})
        # Nothing uses the first one any more.
        await asyncio.to_thread(self._stack.restart, "triton")
        for kind in SERVICES:
            await self._roller.replace(kind)
        await asyncio.to_thread(self._second.stop)

    async def _inference_in_place(self) -> None:
        await asyncio.to_thread(self._stack.restart, "triton")


MAY_REFUSE = "triton in place"
"""With one inference server there is nobody to serve meanwhile."""


async def watch(name: str, restart: Callable[[], Awaitable[None]], load: MixedLoad) -> bool:
    """Restarts, prints a row, and says whether all is well."""
    began = time.monotonic()
    await asyncio.sleep(_BEFORE_S)
    problem = ""
    start = time.monotonic()
    try:
        async with asyncio.timeout(_BOUND_S):
            await restart()
    except (LauncherError, TimeoutError) as error:
        problem = f"FAIL: {type(error).__name__}: {error}"
    took = time.monotonic() - start
    await asyncio.sleep(_AFTER_S)
    until = time.monotonic()
    await eventually(lambda: not load.waiting(until), timeout_s=PATIENCE_S + 1)
    answers = load.between(began, until)
    failed = [answer for answer in answers if not answer.good]
    lost = await load.lost(answers)
    longest = max((answer.seconds for answer in answers if answer.kind != LIVE), default=0.0)
    wrong = [one for one in failed if name != MAY_REFUSE or one.status != "503" or one.bare]
    if wrong or lost or not answers:
        codes = sorted({f"{one.kind} {one.status} {one.code}".strip() for one in wrong})
        problem = problem or "FAIL: " + "; ".join(codes or ["results lost"])
    elif failed and not problem:
        problem = "OK: refusals only, for there is one server"
    print(
        f"{name:34}{told(answers):44}{len(failed):7}{len(lost):6}{longest:9.2f}{took:7.1f}  "
        f"{problem or 'OK'}",
        flush=True,
    )
    return not problem.startswith("FAIL")


async def drill(stack: Stack, folder: Path, only: set[str]) -> bool:
    """All restarts under one load; whether all went well."""
    restarts = Restarts(stack, folder)
    good = []
    try:
        async with MixedLoad(stack.info.gateway_url, stack.info.admin_key, folder) as load:
            print(HEADER)
            for name, restart in restarts.all().items():
                if not only or name in only:
                    good.append(await watch(name, restart, load))
    finally:
        await asyncio.to_thread(restarts.close)
    return all(good)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.rolling", description=__doc__)
    parser.add_argument("--only", default="", help="gateway,asr,tts,nlp,asr in place,triton …")
    only = {name.strip() for name in parser.parse_args().only.split(",") if name.strip()}
    with tempfile.TemporaryDirectory(prefix="speechgate-drill-") as name:
        folder = Path(name)
        options = StackOptions(
            kind="full",
            run_dir=folder / "stack",
            asr_replicas=2,
            triton_instances=1,
            env={"SPEECHGATE_LOG_LEVEL": "warning"},
            process_env=settings(folder),
        )
        try:
            with others() as share, Stack(options) as stack:
                good = asyncio.run(drill(stack, folder, only))
        except LauncherError as error:
            print(f"NOT MEASURED: {error}")
            return 1
    print(f"\nother programs took {share():.0%} of the machine")
    print("no request failed that did not have to" if good else "requests failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
