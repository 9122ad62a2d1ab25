"""A steady mix of requests to a whole platform, and a record of every answer.

Transcriptions, syntheses and translations leave at fixed rates whatever becomes of earlier ones
(open loop); live streams come one after the other, and resume where they break off.
"""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.support.recordings import SAMPLE_RATE, recordings, write_wav
from tests.support.streaming import STREAM, Heard, encoded, recite

OK, RESUMED = "200", "resumed"
LIVE = "live"
RATES = {"asr": 1.0, "tts": 1.0, "nmt": 2.0}
"""Requests a second of each kind: little, since a fault is to be seen, not a lack of processors."""
READ_BACK = {
    "asr": "/api/v1/asr/requests/",
    "tts": "/api/v1/tts/requests/",
    "nmt": "/api/v1/nmt/requests/",
}
PATIENCE_S = 30.0
_STREAM_PATIENCE_S = 60.0
_FRAME, _FRAME_S = 6_400, 0.2  # As fast as speech.
_BETWEEN_TRIES_S = 0.3
_FIRST_TIMEOUT_S = 120.0
_NO_STREAM = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError)


@dataclass(frozen=True)
class Answer:
    """One request, or one live stream.

    Attributes:
        kind: asr, tts, nmt or live.
        at: When it left, `time.monotonic()`.
        seconds: Until it was answered whole.
        status: Of the answer, or the name of the client's error. A stream's is 200 when it said
            what it should, and `resumed` when it broke meanwhile.
        id: Under which it was stored; empty without.
        bare: It is a refusal that does not say when to come again.
        code: Of a refusal.
    """

    kind: str
    at: float
    seconds: float
    status: str
    id: str = ""
    bare: bool = False
    code: str = ""

    @property
    def until(self) -> float:
        """When it was answered."""
        return self.at + self.seconds

    @property
    def good(self) -> bool:
        """Whether the client has what it wanted."""
        return self.status in (OK, RESUMED)


class MixedLoad:
    """A context manager: the load lasts as long as it is open.

    Args:
        url: Of the gateway.
        key: That every request carries.
        folder: For a recording.
        rates: Requests a second of each kind; live streams when `live` is one of them.
    """

    def __init__(
        self, url: str, key: str, folder: Path, rates: Mapping[str, float] | None = None
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._rates = {**RATES, LIVE: 1.0} if rates is None else dict(rates)
        samples = recordings()[4].samples()
        short = write_wav(folder / "short.wav", samples[SAMPLE_RATE // 2 : SAMPLE_RATE])
        self._speech = short.read_bytes()
        silence = np.zeros(SAMPLE_RATE // 2, np.int16)
        self._audio = encoded(np.concatenate([samples[: 3 * SAMPLE_RATE], silence]))
        self._expected: list[dict[str, Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._numbers = itertools.count()
        self._under_way: dict[int, float] = {}
        self._client: httpx.AsyncClient
        self.answers: list[Answer] = []

    async def __aenter__(self) -> Self:
        """Makes one request of each kind, then starts the load."""
        limits = httpx.Limits(max_connections=500, max_keepalive_connections=20)
        self._client = httpx.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=PATIENCE_S,
            limits=limits,
            trust_env=False,
        )
        kinds = [kind for kind in self._rates if kind != LIVE]
        for kind in kinds:
            until = time.monotonic() + PATIENCE_S
            while not (answer := await self._request(kind)).id:
                if time.monotonic() > until:
                    raise RuntimeError(f"{kind} does not work: {answer}")
                await asyncio.sleep(_BETWEEN_TRIES_S)
        jobs = [self._steady(kind, self._rates[kind]) for kind in kinds]
        if LIVE in self._rates:
            heard = await self._recite(Heard(), _FIRST_TIMEOUT_S)
            if heard is None or not heard.finals:
                raise RuntimeError("live streams do not work")
            self._expected = heard.finals
            jobs.append(self._streams())
        self._tasks = [asyncio.create_task(job) for job in jobs]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops it; what is under way is not waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def between(self, start: float, end: float = float("inf")) -> list[Answer]:
        """Answered requests that were under way at some time of an interval."""
        return [one for one in self.answers if one.at < end and one.until >= start]

    def waiting(self, before: float) -> int:
        """How many that left before some time are not answered yet."""
        return sum(at < before for at in self._under_way.values())

    def recovered(self, since: float, times: int) -> float | None:
        """When every kind had so many successes in a row, of requests that left since then.

        Live streams last too long to be told in a row; one is enough.

        Returns:
            Seconds until the first of them was answered; None: not yet.
        """
        latest = 0.0
        for kind in self._rates:
            number = 1 if kind == LIVE else times
            found = sorted((a for a in self.answers if a.kind == kind and a.at >= since), key=_at)
            starts = range(len(found) - number + 1)
            first = next((n for n in starts if all(a.good for a in found[n : n + number])), None)
            if first is None:
                return None
            if kind != LIVE:
                latest = max(latest, found[first].until)
        return max(0.0, latest - since)

    async def lost(self, answers: Iterable[Answer], timeout_s: float = 20.0) -> list[str]:
        """Acknowledged results that cannot be read back, although they are asked for a while."""
        wanted = [
            f"{READ_BACK[answer.kind]}{answer.id}"
            for answer in answers
            if answer.status == OK and answer.kind in READ_BACK
        ]
        until = time.monotonic() + timeout_s
        while wanted:
            found = [await self._read(path) for path in wanted]
            wanted = [path for path, status in zip(wanted, found, strict=True) if status != OK]
            if time.monotonic() >= until:
                break
            if wanted:
                await asyncio.sleep(_BETWEEN_TRIES_S)
        return wanted

    async def _read(self, path: str) -> str:
        try:
            return str((await self._client.get(path)).status_code)
        except httpx.HTTPError as error:
            return type(error).__name__

    async def _steady(self, kind: str, rate: float) -> None:
        start, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
                group.create_task(self._one(kind))
                number += 1

    async def _one(self, kind: str) -> None:
        place = next(self._numbers)
        self._under_way[place] = time.monotonic()
        try:
            self.answers.append(await self._request(kind))
        finally:
            del self._under_way[place]

    async def _request(self, kind: str) -> Answer:
        at = time.monotonic()
        try:
            answer = await self._client.post(_PATHS[kind], **self._body(kind))
        except httpx.HTTPError as error:
            return Answer(kind, at, time.monotonic() - at, type(error).__name__)
        seconds, status = time.monotonic() - at, str(answer.status_code)
        document: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            document = answer.json()
        if status == OK:
            return Answer(kind, at, seconds, status, str(document.get("id", "")))
        bare = status == "503" and "retry-after" not in answer.headers
        return Answer(kind, at, seconds, status, bare=bare, code=str(document.get("code", "")))

    def _body(self, kind: str) -> dict[str, Any]:
        if kind == "asr":
            return {"files": {"file": ("a.wav", self._speech)}, "data": {"language": "en"}}
        language = {"sourceLanguage": "en"}
        if kind == "tts":
            config: dict[str, Any] = {"language": language, "gender": "female"}
            # Never the same twice: what was spoken once is kept.
            text = f"The harbour was quiet at {time.monotonic():.3f}."
            return {"json": {"input": [{"source": text}], "config": config}}
        pair = {"language": language | {"targetLanguage": "es"}}
        return {"json": {"input": [{"source": "The house is big."}], "config": pair}}

    # Live streams.

    async def _streams(self) -> None:
        while True:
            at, heard = time.monotonic(), Heard()
            done = await self._recite(heard, _STREAM_PATIENCE_S)
            if done is None:
                status = "gave up"
            elif done.finals != self._expected:
                status = "differs"
            else:
                status = OK if len(done.of("ready")) == 1 else RESUMED
            code = ",".join(sorted(set(heard.errors)))
            self.answers.append(Answer(LIVE, at, time.monotonic() - at, status, code=code))

    async def _recite(self, heard: Heard, timeout_s: float) -> Heard | None:
        """A stream to its end, over as many connections as it takes; None: not in time."""
        url = self._url.replace("http", "ws", 1) + STREAM
        try:
            async with asyncio.timeout(timeout_s):
                while not heard.of("done"):
                    with contextlib.suppress(*_NO_STREAM):
                        await recite(
                            url,
                            self._headers,
                            self._audio,
                            heard=heard,
                            frame=_FRAME,
                            frame_s=_FRAME_S,
                            interim=False,
                        )
                    if not heard.of("done"):
                        await asyncio.sleep(_BETWEEN_TRIES_S)
        except TimeoutError:
            return None
        return heard


_PATHS = {
    "asr": "/api/v1/asr/transcribe",
    "tts": "/api/v1/tts/inference",
    "nmt": "/api/v1/nmt/inference",
}


def _at(answer: Answer) -> float:
    return answer.at


def told(answers: Iterable[Answer]) -> str:
    """How often each status came, and to which kinds those that are no success."""
    answers = list(answers)
    parts = []
    for status, number in sorted(Counter(answer.status for answer in answers).items()):
        kinds = sorted({answer.kind for answer in answers if answer.status == status})
        parts.append(f"{status}×{number}" + ("" if status == OK else f"({','.join(kinds)})"))
    return " ".join(parts) or "–"
