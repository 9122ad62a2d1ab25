"""One decoder child as its parent sees it: started, asked, killed."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from shared.audio.contract import DecodeBounds, DecodeRequest, Outline
from shared.audio.formats import AudioFormat
from shared.audio.scratch import ScratchFile

_ROOT = Path(__file__).parents[2]
_BOOT = "import sys; sys.path.append(sys.argv[1]); from shared.audio.child import main; main()"
_START_TIMEOUT_S = 30.0
_MAX_REPLY = 4096
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
    def memory_bytes(self) -> int:
        """Address space."""


class ChildProcess:
    """A running decoder child; make it by `start`."""

    def __init__(
        self, process: asyncio.subprocess.Process, link: socket.socket, bounds: DecodeBounds
    ) -> None:
        self._process = process
        self._link = link
        self._bounds = bounds
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
            "bounds": asdict(limits.bounds),
        }
        link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.setblocking(False)  # noqa: FBT003 - the standard library's signature
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    "-c",
                    _BOOT,
                    str(_ROOT),
                    json.dumps(configuration),
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                )
            except BaseException:
                link.close()
                raise
        child = cls(process, link, limits.bounds)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                ready = await child._receive()
        except (TimeoutError, OSError) as error:
            await child.kill()
            raise BrokenChild("the decoder process does not start") from error
        except BaseException:
            await child.kill()
            raise
        if not ready:
            await child.kill()
            raise BrokenChild("the decoder process does not start")
        return child

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    async def call(
        self, source: ScratchFile, output: ScratchFile, request: DecodeRequest, cpu_seconds: int
    ) -> Outline | str:
        """Decode one file into another: what was decoded, or the code of a failure.

        Raises:
            BrokenChild: The child died, or its answer makes no sense.
        """
        self.uses += 1
        room = output.claim(self._bounds.track_bytes)
        head = {
            "size": source.size,
            "room": room,
            "format": request.declared,
            "rate": request.rate,
            "separate": request.separate,
            "cpu_seconds": cpu_seconds,
        }
        try:
            files = [source.descriptor, output.descriptor]
            # Never blocks: the socket is empty, for one request at a time is under way.
            socket.send_fds(self._link, [json.dumps(head).encode()], files)
            reply: dict[str, Any] = json.loads(await self._receive())
            if reply["code"] is not None:
                return str(reply.pop("code"))
            del reply["code"]
            outline = Outline(**reply | {"audio_format": AudioFormat(reply["audio_format"])})
            size = outline.tracks * outline.samples * 2
            if not 0 < size <= room:
                raise BrokenChild("reply out of bounds")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenChild("the decoder process died") from error
        output.settle(size)
        return outline

    async def _receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._link, _MAX_REPLY)

    async def kill(self) -> None:
        """End the process, whatever it does; harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._link.close()
