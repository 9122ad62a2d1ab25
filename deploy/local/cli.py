"""Command line of the launcher: up, down, status, env."""

import argparse
import http.client
import json
import shlex
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from deploy.local import background, runlock
from deploy.local.info import StackInfo, read_json
from deploy.local.options import DEFAULT_RUN_DIR, StackOptions
from deploy.local.postgres import remove_data
from deploy.local.process import LauncherError
from deploy.local.stack import COMPONENTS_FILE, Stack

_USUAL_PORT = 8000
_COLUMNS = "{:<10} {:>8} {:<9} {:>8}  {}"


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit status tells whether it worked."""
    options = _parser().parse_args(arguments)
    options.run_dir = options.run_dir.resolve()
    try:
        if options.command == "up":
            return _up(options)
        if options.command == "down":
            return _down(options.run_dir, purge=options.purge)
        if options.command == "env":
            return _env(options.run_dir)
        return _status(options.run_dir, as_json=options.json)
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local", description="Runs a stack on this machine."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a stack")
    up.add_argument("--stack", choices=("embedded", "full"), default="embedded")
    up.add_argument("--detach", action="store_true", help="return when the stack is ready")
    up.add_argument("--asr-replicas", type=int, default=1, metavar="N")
    up.add_argument("--port", type=int, default=_USUAL_PORT, help="of the gateway, if it is free")
    down = commands.add_parser("down", help="stop the stack")
    down.add_argument("--purge", action="store_true", help="also remove its data and secrets")
    status = commands.add_parser("status", help="show the components")
    status.add_argument("--json", action="store_true")
    env = commands.add_parser("env", help="print what a shell needs to use the stack, for eval")
    for command in (up, down, status, env):
        command.add_argument("--run-dir", type=Path, default=DEFAULT_RUN_DIR, metavar="DIR")
    return parser


def _up(options: argparse.Namespace) -> int:
    if runlock.owner(options.run_dir) is not None:
        return _already_up(options.run_dir)
    if options.detach:
        code = background.launch(
            options.run_dir,
            [
                *("up", "--stack", options.stack, "--run-dir", str(options.run_dir)),
                *("--asr-replicas", str(options.asr_replicas), "--port", str(options.port)),
            ],
        )
        if code == 0:
            _print_addresses(options.run_dir)
        return code
    return _run(
        StackOptions(
            kind=options.stack,
            run_dir=options.run_dir,
            asr_replicas=options.asr_replicas,
            gateway_port=options.port,
            progress=lambda line: print(f"  {line}", flush=True),
        )
    )


def _already_up(run_dir: Path) -> int:
    """Waits for the other start, if it is still at work."""
    deadline = time.monotonic() + background.START_TIMEOUT_S
    while StackInfo.load(run_dir) is None:
        if runlock.owner(run_dir) is None or time.monotonic() > deadline:
            raise LauncherError("another start of this stack did not succeed")
        time.sleep(0.1)
    print("The stack is already up.")
    _print_addresses(run_dir)
    return 0


def _run(options: StackOptions) -> int:
    """Runs the stack until a signal; the first one stops it, the second kills it."""
    stack = Stack(options)
    stop = threading.Event()
    starting = True

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            print("Killing everything.", flush=True)
            stack.abort()
            return
        stop.set()
        print(f"\n{signal.Signals(number).name}: stopping.", flush=True)
        if starting:
            raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        signal.signal(number, on_signal)
    began = time.monotonic()
    print(f"Starting the {options.kind} stack; logs are in {options.run_dir / 'log'}", flush=True)
    try:
        stack.start()
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
        return 130
    starting = False
    print(f"Ready after {time.monotonic() - began:.1f} s.", flush=True)
    background.report_ready()
    if not background.in_background():
        _print_addresses(options.run_dir)
        print("Ctrl-C stops the stack.", flush=True)
    try:
        stop.wait()
    finally:
        stack.stop()
    print("Stopped.", flush=True)
    return 0


def _print_addresses(run_dir: Path) -> None:
    info = StackInfo.load(run_dir)
    if info is None:
        return
    print(f"  gateway    {info.gateway_url}")
    print(f"  API page   {info.gateway_url}/docs")
    print(f"  admin key  {info.admin_key_file}  (`make -s env` prints it for a shell)")
    print(f"  addresses  {run_dir / 'stack.json'}", flush=True)


def _down(run_dir: Path, *, purge: bool) -> int:
    stopped = background.stop(run_dir)
    print("The stack is stopped." if stopped else "No stack is up.")
    if purge:
        remove_data(run_dir)
        for name in ("data", "secrets", "log", "triton", "redis", "ports.json", "flags.json"):
            path = run_dir / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return 0


def _status(run_dir: Path, *, as_json: bool) -> int:
    """Shows the components; exit status 1 when the stack is down, as for a service."""
    up = runlock.owner(run_dir) is not None
    rows = (read_json(run_dir / COMPONENTS_FILE) or {}) if up else {}
    for row in rows.values():
        # The supervisor knows whether it runs; whether it is ready now, only itself.
        if row["state"] == "ready" and not _answers(row["url"]):
            row["state"] = "not ready"
    if as_json:
        print(json.dumps({"up": up, "components": rows}, indent=2))
    elif not up:
        print("No stack is up.")
    else:
        print(_COLUMNS.format("component", "pid", "state", "restarts", "url"))
        for name, row in rows.items():
            print(_COLUMNS.format(name, row["pid"] or "-", *_rest(row)))
    return 0 if up else 1


def _env(run_dir: Path) -> int:
    """Prints shell assignments; nothing but an error when the stack is down."""
    info = StackInfo.load(run_dir) if runlock.owner(run_dir) is not None else None
    if info is None:
        raise LauncherError("No stack is up: `make up` starts one.")
    print(f"export SPEECHGATE_URL={shlex.quote(info.gateway_url)}")
    print(f"export SPEECHGATE_KEY={shlex.quote(info.admin_key)}")
    return 0


def _rest(row: dict[str, object]) -> tuple[object, object, object]:
    return row["state"], row["restarts"], row["url"]


def _answers(url: str) -> bool:
    if not url.startswith("http://"):
        return True
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2.0)
    # Triton has the path of the KServe protocol; it answers 400 or 404 to the other one.
    try:
        for path in ("/ready", "/v2/health/ready"):
            connection.request("GET", path, headers={"Connection": "close"})
            if connection.getresponse().status == http.client.OK:
                return True
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return False
