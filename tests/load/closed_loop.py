"""Closed loop: `wrk` keeps so many connections busy, and counts."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.load.contenders.base import Target
from tests.load.machine import cpu_seconds

CONNECTIONS = 48

_SCRIPT = """
local file = assert(io.open(%(body)s, "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
%(headers)s
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nJSON {\\"requests\\": %%d, \\"microseconds\\": %%d, " ..
    "\\"errors\\": %%d, \\"p50\\": %%d, \\"p99\\": %%d}\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


class BenchError(Exception):
    """An answer was not what it had to be: the figures would mean nothing."""


@dataclass(frozen=True)
class ClosedLoop:
    """What one run measured.

    Attributes:
        rate: Requests per second.
        cpu: Processor seconds that the contender used, in each second.
        per_cpu_second: Requests per second of the contender's processor time.
        p50: Seconds.
        p99: Seconds.
    """

    rate: float
    cpu: float
    per_cpu_second: float
    p50: float
    p99: float


def quote(text: str) -> str:
    """A string of Lua."""
    return json.dumps(text)


def start_wrk(
    target: Target, body: bytes, seconds: float, folder: Path, connections: int
) -> "subprocess.Popen[str]":
    """Starts `wrk` against one target."""
    payload, script = folder / f"{len(body)}.body", folder / f"wrk-{target.port}.lua"
    payload.write_bytes(body)
    headers = {"Content-Type": "application/json", **target.headers}
    lines = [f"wrk.headers[{quote(k)}] = {quote(v)}" for k, v in headers.items()]
    script.write_text(_SCRIPT % {"body": quote(str(payload)), "headers": "\n".join(lines)})
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    return subprocess.Popen(
        [*command, "-s", str(script), target.url], stdout=subprocess.PIPE, text=True
    )


def finish_wrk(process: "subprocess.Popen[str]", what: str) -> dict[str, int]:
    """Waits for `wrk`.

    Raises:
        BenchError: An answer failed.
    """
    out, _ = process.communicate(timeout=120)
    found = [line for line in out.splitlines() if line.startswith("JSON ")]
    if not found:
        raise BenchError(f"{what}: wrk printed {out!r}")
    result: dict[str, int] = json.loads(found[0].removeprefix("JSON "))
    if result["errors"] or not result["requests"]:
        raise BenchError(f"{what}: {result['errors']} errors in {result['requests']} requests")
    return result


def closed_loop(
    targets: Sequence[Target],
    pids: Sequence[int],
    body: bytes,
    seconds: float,
    folder: Path,
    *,
    connections: int = CONNECTIONS,
) -> ClosedLoop:
    """Measures processes at full load; the connections are shared among the targets.

    Raises:
        BenchError: An answer failed.
    """
    before = sum(map(cpu_seconds, pids))
    each = connections // len(targets)
    running = [start_wrk(target, body, seconds, folder, each) for target in targets]
    results = [finish_wrk(process, targets[0].url) for process in running]
    used = sum(map(cpu_seconds, pids)) - before
    requests = sum(result["requests"] for result in results)
    elapsed = max(result["microseconds"] for result in results) / 1e6
    return ClosedLoop(
        rate=requests / elapsed,
        cpu=used / elapsed,
        per_cpu_second=requests / used,
        p50=max(result["p50"] for result in results) / 1e6,
        p99=max(result["p99"] for result in results) / 1e6,
    )
