"""What a check says, and how all of them are run side by side."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Result = TypeVar("Result")


class Level(StrEnum):
    """How bad it is; only errors make the command fail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Neither text holds a secret, nor the words of a driver, which may quote one.

    Attributes:
        check: What was looked at: a dependency, or a replica of one.
        level: How bad it is.
        says: What was found.
        mend: What to do about it; empty where there is nothing to do.
    """

    check: str
    level: Level
    says: str
    mend: str = ""


Check = Callable[[], Awaitable[Sequence[Finding]]]


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, says)


def warning(check: str, says: str, mend: str) -> Finding:
    """It works, but not as it should."""
    return Finding(check, Level.WARNING, says, mend)


def error(check: str, says: str, mend: str) -> Finding:
    """Something does not work."""
    return Finding(check, Level.ERROR, says, mend)


async def on_thread(work: Callable[[], Result]) -> Result:
    """The result of what may block, for example on a file system that hangs.

    Unlike asyncio's own threads, this one holds up nothing when nobody waits for it any more.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, failure: Exception | None) -> None:
        if done.done():
            return
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(result)  # type: ignore[arg-type] # of the work, which did not fail

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - raised again where the result is wanted
            failure = raised
        with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits.
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await done


async def run_checks(checks: Mapping[str, Check], timeout_s: float) -> list[Finding]:
    """What all checks found, in their order; none takes longer than the bound.

    Args:
        checks: By name, which findings of checks that did not end have.
        timeout_s: Of each; they run at the same time.
    """
    found = await asyncio.gather(
        *(_bounded(name, check, timeout_s) for name, check in checks.items())
    )
    return [finding for findings in found for finding in findings]


async def _bounded(name: str, check: Check, timeout_s: float) -> Sequence[Finding]:
    # Cancelled from outside rather than by a scope of its own: a library that swallows the
    # cancellation must not hold up the others.
    task = asyncio.ensure_future(check())
    await asyncio.wait({task}, timeout=timeout_s)
    if not task.done():
        task.cancel()
        says = f"no answer within {timeout_s:g} s"
        return [error(name, says, "Is its address right, and does the network let this host in?")]
    failure = task.exception()
    if failure is None:
        return task.result()
    says = f"the check itself failed: {type(failure).__name__}"
    return [error(name, says, "Report this, with what you did before.")]
