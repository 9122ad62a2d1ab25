"""Every operation of the public API, asked by its own document, many times over.

`python -m tests.load.fuzz_api [--examples 40] [--seed 1] [--only /part/of/path]`

Bounds of every member one by one, other methods, then random requests, by schemathesis, on the
full stack. Exit status 1 when an answer is a 5xx, has a status, a media type or a body that the
document does not know, or when an operation was never reached or never served.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from deploy.local.stack import Stack, StackOptions
from tests.e2e.conftest import make_key
from tests.support.api_bodies import UNLIMITED
from tests.support.api_fuzz import Effort, Seen, fuzz, operations_of
from tests.support.api_world import World

FAULT = "unhandled error"
# What one plain request cannot bring about.
NEVER_SERVED = {
    "GET /api/v1/asr/stream": "speaks WebSocket only",
    "GET /ws/audio": "speaks WebSocket only",
    "GET /api/v1/pipeline/stream": "speaks WebSocket only",
    "GET /api/v1/tts/stream": "speaks WebSocket only",
    "POST /socket.io/": "needs a session that a GET began",
    "POST /socket.io/tts/": "needs a session that a GET began",
}


def narrowed(document: dict[str, Any], part: str | None) -> dict[str, Any]:
    """The document with the paths that contain `part` only."""
    if part is None:
        return document
    paths = {path: found for path, found in document["paths"].items() if part in path}
    return document | {"paths": paths}


def progress(label: str, seen: Seen) -> None:
    """Print what an operation has answered so far."""
    statuses = " ".join(f"{status}:{count}" for status, count in sorted(seen.statuses.items()))
    print(f"{label:<58} {seen.statuses.total():6}  {statuses}", flush=True)


def show(seen: dict[str, Seen], seconds: float) -> bool:
    """Print all figures; whether the goals are met."""
    print("\nAll in all:")
    for label, one in sorted(seen.items(), key=lambda pair: pair[0].split(" ")[1]):
        progress(label, one)
        for kind, shown in one.findings.items():
            print(f"    FINDING {kind}\n        " + shown.replace("\n", "\n        "))
    unreached = [label for label, one in seen.items() if not one.reached]
    unserved = [
        label for label, one in seen.items() if not one.served and label not in NEVER_SERVED
    ]
    requests = sum(one.statuses.total() for one in seen.values())
    errors = sum(one.statuses[status] for one in seen.values() for status in range(500, 600))
    findings = sum(len(one.findings) for one in seen.values())
    print(f"{requests} requests of {len(seen)} operations in {seconds:.0f} s, {errors} 5xx")
    met = {
        f"nothing that is not documented ({findings} findings)": not findings,
        f"every operation was reached {unreached or ''}": not unreached,
        f"every operation was served {unserved or ''}": not unserved,
    }
    for name, good in met.items():
        print(f"{name:<48} {'ok' if good else 'MISSED'}")
    return all(met.values())


def main() -> int:
    """Start a stack of its own, ask, compare, stop it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="part of the paths that are asked")
    parser.add_argument("--random-only", action="store_true", help="no bounds one by one")
    given = parser.parse_args()
    os.environ["NO_PROXY"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="speechgate-fuzz-") as folder:
        options = StackOptions(
            kind="full",
            run_dir=Path(folder) / "run",
            env={"SPEECHGATE_LOG_LEVEL": "warning"},
        )
        with Stack(options) as stack:
            url = stack.info.gateway_url
            world = World(url, make_key(stack, *UNLIMITED)["key"])
            world.fill()
            document = narrowed(httpx.get(f"{url}/openapi.json").json(), given.only)
            effort = Effort(given.examples, not given.random_only, given.seed)
            started = time.monotonic()
            seen = fuzz(document, url, world, effort, progress)
            good = show(seen, time.monotonic() - started)
            logs = Path(stack.info.log_dir).glob("*.log")
            told = [log.name for log in logs if FAULT in log.read_text(errors="replace")]
    print(f"{'no unhandled error in the logs':<48} {f'MISSED {told}' if told else 'ok'}")
    return 0 if good and not told and seen.keys() == operations_of(document) else 1


if __name__ == "__main__":
    sys.exit(main())
