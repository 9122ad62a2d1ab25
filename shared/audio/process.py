"""One decoder child as its parent sees it: started, asked, killed."""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from shared.audio.contract import LENGTH, DecodeBounds
from shared.audio.formats import AudioFormat

_ROOT = Path(__file__).parents[2]
_BOOT = "import sys; sys.path.append(sys.argv[1]); from shared.audio.child import main; main()"
_BUFFER = 1 << 20
_START_TIMEOUT_S = 30.0
_MAX_HEAD = 4096
# One thread each: their stacks would eat the address space, and the parent already runs several.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


class BrokenChild(RuntimeError):
    """The child died or broke the protocol."""


class ChildLimits(Protocol):
    """The limits that a child is started with; see `shared.audio.decode.DecodeLimits`."""

    @property
    def bounds(self) -> DecodeBounds:
        """What the content may be."""

    @property
    def timeout_s(self) -> float:
        """Longest decode."""

    @property
    def memory_bytes(self) -> int:
        """Address space."""


class ChildProcess:
    """A running decoder child; make it by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, bounds: DecodeBounds) -> None:
        if process.stdin is None or process.stdout is None:
            raise BrokenChild("no pipes")
        self._process = process
        self._requests = process.stdin
        self._replies = process.stdout
        # Room for the last block of the resampler.
        self._max_reply = int((bounds.max_seconds + 1) * bounds.target_rate) * 2
        self.uses = 0

    @classmethod
    async def start(cls, limits: ChildLimits) -> "ChildProcess":
        """Start a child and wait until its libraries are loaded.

        Raises:
            BrokenChild: It does not start.
        """
        configuration = {
            "parent": os.getpid(),
            "memory_bytes": limits.memory_bytes,
            "cpu_seconds": int(limits.timeout_s) + 1,
            "bounds": asdict(limits.bounds),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-c",
            _BOOT,
            str(_ROOT),
            json.dumps(configuration),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            limit=_BUFFER,
            start_new_session=True,
        )
        child = cls(process, limits.bounds)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await child._replies.readexactly(1)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            await child.kill()
            raise BrokenChild("the decoder process does not start") from error
        except BaseException:
            await child.kill()
            raise
        return child

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    async def call(
        self, content: bytes, declared: AudioFormat | None, rate: int | None
    ) -> tuple[dict[str, Any], bytes]:
        """The reply to one request: its head and the PCM.

        Raises:
            BrokenChild: The child died, or answered more than it may.
        """
        self.uses += 1
        head = json.dumps({"length": len(content), "format": declared, "rate": rate}).encode()
        try:
            self._requests.write(LENGTH.pack(len(head)) + head)
            self._requests.write(content)
            await self._requests.drain()
            (size,) = LENGTH.unpack(await self._replies.readexactly(LENGTH.size))
            if size > _MAX_HEAD:
                raise BrokenChild("reply head too large")
            reply: dict[str, Any] = json.loads(await self._replies.readexactly(size))
            if not 0 <= reply["bytes"] <= self._max_reply:
                raise BrokenChild("reply too large")
            return reply, await self._replies.readexactly(reply["bytes"])
        except (asyncio.IncompleteReadError, OSError, ValueError, KeyError) as error:
            raise BrokenChild("the decoder process died") from error

    async def kill(self) -> None:
        """End the process, whatever it does; harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._requests.close()
        await self._process.wait()
