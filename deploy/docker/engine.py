"""A real Docker engine of one's own, where a machine has none or its network must not be touched.

It has a network namespace of its own: its bridges, addresses and firewall rules are invisible
outside. slirp4netns carries what builds fetch out of it, without any rule on the machine. Data,
sockets and logs lie below one folder. It needs root.
"""

import os
import select
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from deploy.docker.commands import Docker, DockerError, run, wait_until

_PACKAGES = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "iptables": "iptables",
    "slirp4netns": "slirp4netns",
    "debootstrap": "debootstrap",
    "docker-compose": "docker-compose",
    "unshare": "util-linux",
    "ip": "iproute2",
}
_NAME_SERVER = "10.0.2.3"  # slirp4netns answers there with the machine's own.
_ADDRESSES = ["--bip=10.212.0.1/24", "--default-address-pool=base=10.213.0.0/16,size=24"]
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 60.0
_INSTALL_TIMEOUT_S = 900.0


def install_missing(log: Path) -> None:
    """Installs the packages whose programs are absent; starts none of their daemons.

    Raises:
        DockerError: They cannot be installed here; with the command that would.
    """
    missing = sorted({package for name, package in _PACKAGES.items() if not shutil.which(name)})
    if not missing:
        return
    apt = ["apt-get", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise DockerError(f"as root, run: {' '.join([*apt, 'install', *missing])}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", "SYSTEMD_OFFLINE": "1"}
    print(f"installing {', '.join(missing)} …", flush=True)
    with suppress(DockerError):  # One dead mirror is no reason to stop: the installation decides.
        run([*apt, "update"], _INSTALL_TIMEOUT_S, environment=quiet, log=log)
    run([*apt, "install", *missing], _INSTALL_TIMEOUT_S, environment=quiet, log=log)


def end(process: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    """Asks a process to end, and kills it where it does not."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_by_file(path: Path, program: str, timeout_s: float = 10.0) -> None:
    """Ends the process whose id a file holds, where it is still that program."""
    try:
        pid = int(path.read_text())
        if program not in Path(f"/proc/{pid}/comm").read_text():
            return
    except (OSError, ValueError):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + timeout_s
        while Path(f"/proc/{pid}").exists():
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        else:
            return


class OwnEngine:
    """One dockerd; a context manager that starts and stops it.

    Args:
        folder: Of its data, which later runs find again; on a disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._log = self._folder / "dockerd.log"
        self._socket = self._folder / "docker.sock"
        self._daemon: subprocess.Popen[bytes] | None = None
        self._network: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Docker:
        """Starts the engine; its client."""
        if os.geteuid() != 0:
            raise DockerError("an engine of one's own needs root")
        self._folder.mkdir(parents=True, exist_ok=True)
        install_missing(self._folder / "packages.log")
        self._end_earlier()
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops it, whatever happened."""
        self.stop()

    def _end_earlier(self) -> None:
        """What a killed run left."""
        end_by_file(self._folder / "docker.pid", "dockerd", _STOP_TIMEOUT_S)
        end_by_file(self._folder / "exec" / "containerd" / "containerd.pid", "containerd")
        (self._folder / "docker.pid").unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)

    def _start(self) -> Docker:
        daemon = [
            "dockerd",
            f"--data-root={self._folder / 'data'}",
            f"--exec-root={self._folder / 'exec'}",
            f"--pidfile={self._folder / 'docker.pid'}",
            f"--host=unix://{self._socket}",
            "--oom-score-adjust=0",
            f"--dns={_NAME_SERVER}",
            *_ADDRESSES,
            "--log-level=warn",
        ]
        # unshare and the shell become the daemon, so that this is its process id.
        alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *daemon]
        with self._log.open("ab") as log:
            self._daemon = subprocess.Popen(
                alone, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        pid = self._daemon.pid
        wait_until(lambda: self._is_apart(pid), 10.0, "a network namespace")
        self._connect(pid)
        enter = ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
        docker = Docker({"DOCKER_HOST": f"unix://{self._socket}"}, enter)
        wait_until(lambda: self._check() and docker.answers(), _START_TIMEOUT_S, "dockerd")
        return docker

    @staticmethod
    def _is_apart(pid: int) -> bool:
        own = Path("/proc/self/ns/net").readlink()
        with suppress(OSError):
            return Path(f"/proc/{pid}/ns/net").readlink() != own
        return False

    def _check(self) -> bool:
        """True while the daemon runs.

        Raises:
            DockerError: It ended; with the end of its log.
        """
        if self._daemon is None or self._daemon.poll() is not None:
            text = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
            raise DockerError(f"dockerd ended:\n{text}")
        return True

    def _connect(self, pid: int) -> None:
        ready, told = os.pipe()
        command = ["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback"]
        command += [f"--ready-fd={told}", str(pid), "tap0"]
        log_file = self._folder / "network.log"
        with os.fdopen(ready, "rb", buffering=0) as answer:
            try:
                with log_file.open("ab") as log:
                    self._network = subprocess.Popen(
                        command, pass_fds=[told], stdin=subprocess.DEVNULL, stdout=log, stderr=log
                    )
            finally:
                os.close(told)
            # The end of the pipe without a word: it failed.
            if not select.select([answer], [], [], 10.0)[0] or not answer.read(1):
                raise DockerError(f"slirp4netns failed; see {log_file}")

    def stop(self) -> None:
        """Stops the engine, with every container that still runs in it."""
        if self._daemon is not None:
            end(self._daemon, _STOP_TIMEOUT_S)
            self._daemon = None
            self._end_earlier()
        if self._network is not None:
            end(self._network, 5.0)
            self._network = None
