"""Thousands of damaged audio files against a running ASR service.

`python -m tests.load.fuzz_audio [--files 5000] [--seed 1]`

Each file is a moment of speech in one of the formats, cut, flipped, spliced, or with a header that
lies. Exit status 1 when an answer is a 5xx, or when the service has lost its process, or keeps
processes, open files, temporary files or memory that it did not have before.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from deploy.local.stack import Stack, StackInfo, StackOptions
from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer
from tests.load.machine import tree
from tests.support.live_app import until
from tests.support.mutated_audio import mutated, originals

CLIENTS = 4
WARM_UP = 200
GOAL_GROWTH_MB = 30
TRANSCRIBE = "/api/v1/asr/transcribe"


@dataclass(frozen=True)
class State:
    """What a service holds."""

    pid: int
    processes: int
    files: int
    resident_mb: float
    scratch_bytes: float
    scratch_files: int


class Service:
    """The ASR service of a stack, asked past the gateway: its quotas are another matter."""

    def __init__(self, info: StackInfo) -> None:
        self._info = info
        self._issuer = IdentityIssuer(Path(info.identity_private_key_file).read_text())
        self._client = httpx.Client(
            base_url=info.services["asr"][0], timeout=120.0, trust_env=False
        )

    def send(self, content: bytes) -> tuple[int, str]:
        """Status and code of the answer; status 0 where there was none."""
        identity = Identity("fuzz", "fuzz", frozenset({"*"}))
        headers = {IDENTITY_HEADER: self._issuer.issue(identity, "asr")}
        try:
            response = self._client.post(
                TRANSCRIBE,
                headers=headers,
                files={"file": ("a", content)},
                data={"channels": "separate"},
            )
        except httpx.HTTPError as error:
            return 0, type(error).__name__
        return response.status_code, response.json().get("code", "recognized")

    def state(self) -> State:
        """What it holds now."""
        pid = self._info.pids["asr"]
        lines = self._client.get("/metrics").text.splitlines()
        scratch = next(line for line in lines if line.startswith("speechgate_scratch_bytes "))
        processes = tree(pid)
        targets = [_target(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        return State(
            pid,
            len(processes),
            len(targets),
            sum(_resident_mb(each) for each in processes),
            float(scratch.split()[1]),
            sum("(deleted)" in target for target in targets),
        )


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def run(service: Service, files: Iterator[tuple[str, bytes]], count: int) -> Counter[str]:
    """Send files; how often each answer came."""
    found: Counter[str] = Counter()
    lock = threading.Lock()
    started = time.perf_counter()

    def one(item: tuple[str, bytes]) -> None:
        status, code = service.send(item[1])
        with lock:
            found[f"{status} {code}"] += 1
            done = found.total()
        if status == 0 or status >= 500:
            print(f"    {item[0]}, {len(item[1])} bytes: {status} {code}")
        if done % 500 == 0:
            print(f"    {done} files, {time.perf_counter() - started:.0f} s", flush=True)

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in pool.map(one, islice(files, count)):
            pass
    return found


def main() -> int:
    """Start a stack of its own, send, compare, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"formats: {', '.join(originals())}")
    with tempfile.TemporaryDirectory(prefix="speechgate-fuzz-") as folder:
        stack_options = StackOptions(kind="embedded", run_dir=Path(folder) / "run")
        with Stack(stack_options) as stack:
            service = Service(stack.info)
            files = mutated(options.seed)
            found = run(service, files, min(WARM_UP, options.files))
            before = service.state()
            found += run(service, files, max(options.files - WARM_UP, 0))
            until(lambda: service.state().processes >= before.processes, timeout_s=10)
            after = service.state()
            same = stack.info.pids["asr"] == before.pid
    for answer, count in found.most_common():
        print(f"{count:7} {answer}")
    print(f"before {before}\nafter  {after}")
    bad = sum(count for answer, count in found.items() if answer[0] in "05")
    growth = after.resident_mb - before.resident_mb
    checks = {
        "answers without a 5xx": bad == 0,
        "the same process": same,
        "no process more": after.processes <= before.processes,
        "no open file more": after.files <= before.files + CLIENTS,
        "no temporary file": after.scratch_bytes == 0 and after.scratch_files == 0,
        f"memory grew {growth:.1f} MB (goal ≤ {GOAL_GROWTH_MB})": growth <= GOAL_GROWTH_MB,
    }
    for name, met in checks.items():
        print(f"{name:<44} {'ok' if met else 'MISSED'}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
