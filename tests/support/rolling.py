"""Rolling restarts of a running stack: a new process first, then the old one's SIGTERM."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from deploy.local.stack import Stack

SERVICES = ("asr", "tts", "nlp")
# A file of replicas is looked at every second; what is removed keeps the requests that it has.
_NOTICED_S = 1.5


def settings(folder: Path) -> dict[str, dict[str, str]]:
    """`StackOptions.process_env` of a stack that can be restarted process by process."""
    sources = {
        f"SPEECHGATE_{kind.upper()}_URLS": f"file:{folder / kind}.replicas" for kind in SERVICES
    }
    return {"gateway": {"SPEECHGATE_REUSE_PORT": "true", **sources}}


@dataclass
class Roller:
    """Replaces processes of a stack that was started with `settings`.

    Attributes:
        stack: The stack.
        folder: Of the files of replicas.
        names: Processes of each kind now.
    """

    stack: Stack
    folder: Path
    names: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Tells the gateway which replicas there are."""
        for name in self.stack.info.pids:
            kind = name.split("-")[0]
            if kind in (*SERVICES, "gateway"):
                self.names.setdefault(kind, []).append(name)
        for kind in SERVICES:
            self._tell(kind, self.stack.info.services[kind])

    async def replace(self, kind: str, env: Mapping[str, str] | None = None) -> None:
        """Every process of a kind, one after the other, by new ones.

        Args:
            kind: gateway, asr, tts or nlp.
            env: More environment of the new ones.
        """
        for old in list(self.names[kind]):
            await self.add(kind, env)
            await self.remove(kind, old)

    async def add(self, kind: str, env: Mapping[str, str] | None = None) -> str:
        """Starts one more process of a kind and lets the gateway use it; its name."""
        taken = set(self.stack.info.pids)
        new = next(name for one in count(1) if (name := f"{kind}-new{one}") not in taken)
        await asyncio.to_thread(self.stack.add, new, kind, env)
        self.names[kind].append(new)
        if kind in SERVICES:
            await self._settle(kind, self.stack.info.services[kind])
        return new

    async def remove(self, kind: str, name: str) -> None:
        """Takes a process out of use, then ends it."""
        if kind in SERVICES:
            address = self.stack.address(name)
            rest = [url for url in self.stack.info.services[kind] if url != address]
            await self._settle(kind, rest)
        self.names[kind].remove(name)
        await asyncio.to_thread(self.stack.remove, name)

    async def restart(self, kind: str) -> None:
        """Every process of a kind where it is, one after the other; nobody is told before."""
        for name in self.names[kind]:
            await asyncio.to_thread(self.stack.restart, name)

    async def _settle(self, kind: str, urls: list[str]) -> None:
        self._tell(kind, urls)
        await asyncio.sleep(_NOTICED_S)

    def _tell(self, kind: str, urls: list[str]) -> None:
        path = self.folder / f"{kind}.replicas"
        new = path.with_suffix(".new")
        new.write_text("".join(f"{url}\n" for url in urls))
        new.rename(path)  # Never half a list.
