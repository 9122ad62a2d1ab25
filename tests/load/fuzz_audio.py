"""Thousands of damaged audio files against a running ASR service.

`python -m tests.load.fuzz_audio [--files 5000] [--seed 1]`

Each file is a moment of speech in one of the formats, cut, flipped, spliced, or with a header that
lies. Exit status 1 when an answer is a 5xx, or when the service has lost its process, or keeps
processes, open files, temporary files or memory that it did not have before.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import httpx

from deploy.local.stack import Stack, StackInfo, StackOptions
from shared.identity import IDENTITY_HEADER, Identity, IdentityIssuer
from tests.load.held import Held
from tests.support.live_app import until
from tests.support.mutated_audio import mutated, originals

CLIENTS = 4
WARM_UP = 200
GOAL_GROWTH_MB = 30
TRANSCRIBE = "/api/v1/asr/transcribe"


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

    def scratch_bytes(self) -> float:
        """Bytes of recordings that it says to hold."""
        lines = self._client.get("/metrics").text.splitlines()
        line = next(line for line in lines if line.startswith("speechgate_scratch_bytes "))
        return float(line.split()[1])


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
            before = Held.by(stack.info.pids["asr"])
            found += run(service, files, max(options.files - WARM_UP, 0))
            until(
                lambda: Held.by(stack.info.pids["asr"]).processes >= before.processes, timeout_s=10
            )
            after = Held.by(stack.info.pids["asr"])
            scratch = service.scratch_bytes()
    for answer, count in found.most_common():
        print(f"{count:7} {answer}")
    print(f"before {before}\nafter  {after}")
    bad = sum(count for answer, count in found.items() if answer[0] in "05")
    checks = {"answers without a 5xx": bad == 0, "no bytes of recordings": scratch == 0}
    checks |= after.checks(before, files=CLIENTS, growth_mb=GOAL_GROWTH_MB)
    for name, met in checks.items():
        print(f"{name:<44} {'ok' if met else 'MISSED'}")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
