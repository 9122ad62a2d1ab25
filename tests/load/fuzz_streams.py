"""A thousand malformed sessions of live recognition, through the gateway.

`python -m tests.load.fuzz_streams [--sessions 1000] [--seed 1]`

Native streams, WebSocket frames that are none, Socket.IO and its polling. Exit status 1 when an
answer is a 5xx or a close with 1011, when a session ends without a reason, or when the gateway or
the service lost its process, or keeps streams, processes, open files or memory.
"""

import argparse
import asyncio
import base64
import itertools
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deploy.local.stack import Stack, StackOptions
from tests.load.held import Held
from tests.support.malformed_streams import Message, Session, Wire, malformed_sessions
from tests.support.poll import eventually
from tests.support.recordings import recordings
from tests.support.streaming import STREAM, encoded, recite

CLIENTS = 8
WARM_UP = 200
GOAL_GROWTH_MB = 30
PATIENCE_S = 0.5
ANSWER_S = 20
"""What is not answered by then is a finding."""
SOCKET_IO = "/socket.io/?EIO=4&transport="
_ABNORMAL, _INTERNAL = 1006, 1011
_NOT_LONG = httpx.Timeout(ANSWER_S, read=0.1)
_CODE = re.compile(r'"code":"(\w+)"|"abort","(\w+):')


class Target:
    """The stack that is spoken to."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.key = stack.info.admin_key
        self.http = stack.info.gateway_url
        self.ws = self.http.replace("http", "ws", 1)
        self.headers = {"Authorization": f"Bearer {self.key}"}
        self.found: Counter[str] = Counter()
        self.bad: list[str] = []

    async def meet(self, session: Session) -> None:
        """Send a session; note how it ended."""
        if session.wire is Wire.POLLING:
            try:
                await self._poll(session)
            except httpx.ReadTimeout:
                self._note(session, f"no answer in {ANSWER_S} s", bad=True)
        else:
            await self._speak(session)

    async def _speak(self, session: Session) -> None:
        path = STREAM
        if session.wire is Wire.SOCKET_IO:
            path = f"{SOCKET_IO}websocket&{session.query}"
        heard: list[str] = []
        try:
            async with connect(
                self.ws + path, additional_headers=self.headers, max_size=2**24, compression=None
            ) as socket:
                listening = asyncio.create_task(_listen(socket, heard))
                with suppress(ConnectionClosed):
                    await _send(socket, session)
                await asyncio.wait({listening}, timeout=PATIENCE_S)
                ended = listening.done()
                if not session.polite:
                    socket.transport.abort()
            await listening
        except InvalidStatus as refused:
            self._note(session, f"HTTP {refused.response.status_code}")
            return
        except (OSError, ConnectionClosed, TimeoutError) as error:
            self._note(session, type(error).__name__, bad=True)
            return
        codes = {code for text in heard for match in _CODE.findall(text) for code in match if code}
        end = f"closed {socket.close_code}" if ended else "open"
        bad = ended and (
            socket.close_code == _INTERNAL
            or (socket.close_code == _ABNORMAL and session.wire is not Wire.FRAMES)
        )
        self._note(session, " ".join([*sorted(codes), end]), bad=bad)

    async def _poll(self, session: Session) -> None:
        place = f"{SOCKET_IO}polling&{session.query}"
        async with httpx.AsyncClient(
            base_url=self.http, headers=self.headers, timeout=ANSWER_S, trust_env=False
        ) as client:
            answer = await client.get(place)
            if answer.status_code == httpx.codes.OK:
                place += "&sid=" + json.loads(answer.text[1:])["sid"]
                for message in session.messages:
                    answer = await client.post(place, content=_line(message))
                    if answer.status_code != httpx.codes.OK:
                        break
                    with suppress(httpx.ReadTimeout):
                        answer = await client.get(place, timeout=_NOT_LONG)
                if session.polite:
                    await client.post(place, content="1")
        self._note(session, f"HTTP {answer.status_code}")

    def _note(self, session: Session, end: str, *, bad: bool = False) -> None:
        self.found[f"{session.wire}: {end}"] += 1
        if bad or end.startswith("HTTP 5"):
            self.bad.append(f"{end}: {str(session)[:1000]}")

    async def streams(self) -> float:
        """Open ones, by the service's own count."""
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"{self.stack.info.services['asr'][0]}/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith("speechgate_asr_streams_")]
        return sum(float(line.split()[1]) for line in lines if "_open{" in line)

    async def quiet(self) -> None:
        """Wait until the streams of clients that broke off are closed as well."""

        async def none() -> bool:
            return await self.streams() == 0

        for _ in range(240):
            if await none():
                return
            await asyncio.sleep(0.5)
        self.bad.append("streams stay open")

    def held(self) -> dict[str, Held]:
        """What both processes hold."""
        return {name: Held.by(self.stack.info.pids[name]) for name in ("gateway", "asr")}


async def _listen(socket: ClientConnection, heard: list[str]) -> None:
    with suppress(ConnectionClosed):
        while True:
            heard.append(str(await socket.recv()).replace(": ", ":"))


async def _send(socket: ClientConnection, session: Session) -> None:
    for message in session.messages:
        if session.wire is Wire.FRAMES and isinstance(message, bytes):
            socket.transport.write(message)
            await asyncio.sleep(0)
        else:
            await socket.send(message)


def _line(message: Message) -> bytes:
    if isinstance(message, bytes):
        return b"b" + base64.b64encode(message)
    return message.encode()


async def run(target: Target, sessions: Iterable[Session]) -> None:
    """Meet all sessions, some at once."""
    left = iter(sessions)
    started = time.monotonic()

    async def client() -> None:
        for session in left:
            await target.meet(session)
            if target.found.total() % 200 == 0:
                seconds = time.monotonic() - started
                print(f"    {target.found.total()} sessions, {seconds:.0f} s", flush=True)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def measure(target: Target, count: int, seed: int) -> bool:
    """Print all figures; whether the goals are met."""
    speech = encoded(recordings()[0].samples())
    expected = await recite(target.ws + STREAM, target.headers, speech)
    sessions = malformed_sessions(seed)
    await run(target, itertools.islice(sessions, min(WARM_UP, count)))
    await target.quiet()
    before = target.held()
    await run(target, itertools.islice(sessions, max(count - WARM_UP, 0)))
    await target.quiet()
    await eventually(
        lambda: all(target.held()[name].files <= before[name].files + CLIENTS for name in before),
        timeout_s=60,
    )
    after = target.held()
    found = await recite(target.ws + STREAM, target.headers, speech)
    for end, number in sorted(target.found.items()):
        print(f"{number:7} {end}")
    for one in target.bad:
        print(f"BAD {one}")
    met = {
        "no 5xx, no 1011, an end for each": not target.bad,
        "a whole stream says what it said before": found.text == expected.text != "",
    }
    for name, held in after.items():
        print(f"{name}: before {before[name]}\n    after {held}")
        for check, good in held.checks(
            before[name], files=CLIENTS, growth_mb=GOAL_GROWTH_MB
        ).items():
            met[f"{name}: {check}"] = good
    for name, good in met.items():
        print(f"{name:<48} {'ok' if good else 'MISSED'}")
    return all(met.values())


def main() -> int:
    """Start a stack of its own, speak, compare, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="speechgate-fuzz-") as folder:
        options = StackOptions(
            kind="embedded",
            run_dir=Path(folder) / "run",
            env={"SPEECHGATE_LOG_LEVEL": "warning"}
            | {f"SPEECHGATE_RATE_PER_{span}": "1000000" for span in ("MINUTE", "HOUR", "DAY")},
        )
        with Stack(options) as stack:
            good = asyncio.run(measure(Target(stack), given.sessions, given.seed))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
