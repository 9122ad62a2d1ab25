"""What `make compose-test` shows, in one table."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.docker.commands import Docker, DockerError, wait_until
from deploy.docker.composed import (
    ASR,
    REPLICAS,
    SLOW_START_S,
    SPREAD_GOAL,
    Composed,
    deviation,
    short_recording,
)
from deploy.docker.engine import end

_CLIENTS = 6
_FEWEST_WORDS = 5
_SPREAD_REQUESTS = 300
_KILL_REQUESTS = 200
_KILL_AFTER = 40
_LOAD_TIMEOUT_S = 600.0


class ComposeTest:
    """The checks, in the order in which each leaves what the next one needs.

    Args:
        docker: Client of the engine, which has all images.
        folder: For logs.
    """

    def __init__(self, docker: Docker, folder: Path) -> None:
        self._stack = Composed(docker, folder)
        self._recording = short_recording(folder)
        self._key = ""
        self._rows: list[tuple[str, str, bool]] = []

    def run(self) -> bool:
        """Runs the checks; whether all went well. Whatever happens, nothing is left running."""
        checks = (self._up, self._curl, self._scale, self._spread, self._kill)
        try:
            self._stack.down()  # What a killed run left.
            for check in checks:
                if not self._check(check):
                    self._stack.logs()
                    break
        finally:
            self._stack.down()
        width = max((len(row[0]) for row in self._rows), default=0)
        for name, text, well in self._rows:
            print(f"{name:<{width}}  {'ok    ' if well else 'FAILED'}  {text}")
        return len(self._rows) == len(checks) and all(row[2] for row in self._rows)

    def _check(self, check: Callable[[], tuple[str, bool]]) -> bool:
        name = check.__name__.strip("_")
        print(f"{name} …", flush=True)
        try:
            text, well = check()
        except DockerError as error:
            text, well = str(error), False
        self._rows.append((name, text, well))
        return well

    def _up(self) -> tuple[str, bool]:
        began = time.monotonic()
        self._stack.up()
        self._key = self._stack.make_key()
        return f"ready after {time.monotonic() - began:.0f} s", True

    def _curl(self) -> tuple[str, bool]:
        text = self._stack.curl_of_readme(self._key)
        return text[:100], len(text.split()) >= _FEWEST_WORDS

    def _scale(self) -> tuple[str, bool]:
        began = time.monotonic()
        self._stack.up("--no-recreate", "--scale", f"{ASR}={REPLICAS}")
        wait_until(lambda: self._stack.healthy(ASR) == REPLICAS, 180.0, f"{REPLICAS} replicas")
        wait_until(lambda: self._stack.replicas_known() == REPLICAS, 60.0, "found by the gateway")
        took = time.monotonic() - began
        time.sleep(SLOW_START_S)
        return f"{REPLICAS} replicas found after {took:.0f} s, without a restart", True

    def _spread(self) -> tuple[str, bool]:
        replicas = self._stack.containers(ASR)
        before = [self._stack.served(one) for one in replicas]
        options = (f"--clients={_CLIENTS}", f"--requests={_SPREAD_REQUESTS}")
        counts = self._stack.measured(self._stack.load(self._key, self._recording, *options))
        after = [self._stack.served(one) for one in replicas]
        served = [b - a for a, b in zip(before, after, strict=True)]
        most = deviation(served)
        shares = " / ".join(f"{count:.0f}" for count in served)
        well = most <= SPREAD_GOAL and counts["at_once"] == _SPREAD_REQUESTS
        return f"{shares}, at most {most:.0%} from equal; {counts['at_once']} answered", well

    def _kill(self) -> tuple[str, bool]:
        """Kills a replica while it works; its clients ask again when told to, and lose nothing."""
        options = (f"--clients={_CLIENTS}", f"--requests={_KILL_REQUESTS}", "--retries=3")
        victim = self._stack.containers(ASR)[0]
        target = self._stack.served(victim) + _KILL_AFTER / REPLICAS
        command = self._stack.load(self._key, self._recording, *options)
        load = subprocess.Popen(
            command, env={**os.environ, **self._stack.environment}, stdout=subprocess.PIPE
        )
        try:
            wait_until(lambda: self._stack.served(victim) >= target, 120.0, "a working replica")
            busy = load.poll() is None
            self._stack.kill(victim)
            output, _ = load.communicate(timeout=_LOAD_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise DockerError(f"the load did not end within {_LOAD_TIMEOUT_S:.0f} s") from None
        finally:
            end(load, 5.0)
        counts = json.loads(output)
        text = (
            f"{counts['requests']} requests, {counts['lost']} lost, {counts['retried']} answered "
            f"at a later attempt; failed attempts: {counts['failures'] or 'none'}"
        )
        whole = counts["at_once"] + counts["retried"] == _KILL_REQUESTS
        return text, busy and whole and counts["lost"] == 0
