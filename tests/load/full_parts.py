"""What the drill on the whole stack breaks: components, and processes of a model."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from deploy.local.stack import Stack
from tests.load.machine import tree

_RUNS_S, _STANDS_S = 0.04, 0.16
_START_S = 120.0


class Target(Protocol):
    """Something that can be killed and brought back.

    Attributes:
        heals: It comes back by itself.
    """

    heals: bool

    def pids(self) -> list[int]:
        """Its processes now."""

    def kill(self) -> None:
        """Ends it with SIGKILL."""

    def revive(self) -> None:
        """Sees to it that it runs again; it need not be ready when this returns."""


class Part:
    """A component of the stack; it stays down until it is revived.

    Args:
        stack: Of the component.
        name: Of the component.
    """

    heals = False

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._name = name

    def pids(self) -> list[int]:
        """Its process, and all below it."""
        return tree(self._stack.info.pids[self._name])

    def kill(self) -> None:
        """Ends its process."""
        self._stack.kill(self._name, signal.SIGKILL, supervise=False)

    def revive(self) -> None:
        """Starts it again."""
        self._stack.restart(self._name, _START_S)


class Model:
    """The processes of one model inside the inference server; its watchdog revives them.

    Args:
        stack: Of the server.
        name: Of the model.
    """

    heals = True

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._name = name

    def pids(self) -> list[int]:
        """One process an instance."""
        return self._stack.triton.stub_pids(self._name)

    def kill(self) -> None:
        """Ends all of them."""
        _signal(self.pids(), signal.SIGKILL)

    def revive(self) -> None:
        """Nothing: it has to come back by itself."""


class Killed:
    """Down while the fault lasts.

    Args:
        targets: What it befalls.
    """

    name = "killed"

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets

    async def begin(self) -> None:
        """Breaks it."""
        await asyncio.gather(*(asyncio.to_thread(target.kill) for target in self._targets))

    async def end(self) -> None:
        """Mends it."""
        await asyncio.gather(*(asyncio.to_thread(target.revive) for target in self._targets))


class Stopped:
    """Keeps its connections, and does nothing (SIGSTOP)."""

    name = "stopped"

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._pids: list[int] = []

    async def begin(self) -> None:
        """Breaks it."""
        self._pids = [pid for target in self._targets for pid in target.pids()]
        _signal(self._pids, signal.SIGSTOP)

    async def end(self) -> None:
        """Mends it."""
        _signal(self._pids, signal.SIGCONT)


class Slowed:
    """Runs a fifth of the time, in turns shorter than anybody's patience."""

    name = "slowed"

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Breaks it."""
        self._task = asyncio.create_task(self._hamper())

    async def end(self) -> None:
        """Mends it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _hamper(self) -> None:
        while True:
            pids = [pid for target in self._targets for pid in target.pids()]
            try:
                _signal(pids, signal.SIGSTOP)
                await asyncio.sleep(_STANDS_S)
            finally:
                _signal(pids, signal.SIGCONT)
            await asyncio.sleep(_RUNS_S)


How = type[Killed] | type[Stopped] | type[Slowed]


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
