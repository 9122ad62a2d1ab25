"""What runs inside the images beside the product: entry point, health check, secrets, Triton."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from deploy.docker.inside import bootstrap, entrypoint, flags, healthcheck, triton_server
from shared.crypto.keyring import read_key_ring

INSIDE = Path(entrypoint.__file__).parent


class Answers(BaseHTTPRequestHandler):
    """Answers with the status of the class; remembers what was asked."""

    statuses: ClassVar[dict[str, int]] = {}
    asked: ClassVar[list[str]] = []

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(self.statuses.get(self.path, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[type[Answers], int]]:
    handler = type("Handler", (Answers,), {"statuses": {}, "asked": []})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield handler, httpd.server_port
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_value_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://x\n")
    environment = {"SPEECHGATE_REDIS_URL_FILE": str(tmp_path / "url")}
    entrypoint.read_files(environment)
    assert environment["SPEECHGATE_REDIS_URL"] == "redis://x"

    environment["SPEECHGATE_REDIS_URL"] = "redis://y"
    entrypoint.read_files(environment)
    assert environment["SPEECHGATE_REDIS_URL"] == "redis://y"


def test_a_file_that_is_missing_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(entrypoint.EntrypointError, match="SPEECHGATE_DATABASE_URL_FILE"):
        entrypoint.read_files({"SPEECHGATE_DATABASE_URL_FILE": str(tmp_path / "none")})


def _start(root: Path) -> "subprocess.Popen[str]":
    """A container's program that says which spool it has and then waits for its input's end."""
    program = "import os, sys; print(os.environ['SPEECHGATE_SPOOL_DIR'], flush=True); input()"
    return subprocess.Popen(
        [sys.executable, str(INSIDE / "entrypoint.py"), sys.executable, "-c", program],
        env={"PATH": os.defpath, entrypoint.SLOTS: str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _spool(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip()).name


def test_replicas_that_share_a_volume_share_no_spool(tmp_path: Path) -> None:
    processes = [_start(tmp_path) for _ in range(3)]
    try:
        assert sorted(map(_spool, processes)) == ["slot-000", "slot-001", "slot-002"]
        # The lock is the program's: it ends however the program ends.
        processes[1].kill()
        processes[1].wait()
        freed = processes.pop(1)
        freed.communicate()
        processes.append(_start(tmp_path))
        assert _spool(processes[-1]) in ("slot-000", "slot-001", "slot-002")
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_results_that_wait_are_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "slot-007").mkdir()
    (tmp_path / "slot-007" / "a.json").touch()
    process = _start(tmp_path)
    try:
        assert _spool(process) == "slot-007"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("status", "path", "exit_status"), [(200, None, 0), (503, "/ready", 1)])
def test_the_health_check_asks_readiness(
    server: tuple[type[Answers], int], status: int, path: str | None, exit_status: int
) -> None:
    handler, port = server
    handler.statuses = {"/ready": status}
    ended = subprocess.run(
        [sys.executable, "-I", str(INSIDE / "healthcheck.py"), *([path] if path else [])],
        env={"SPEECHGATE_PORT": str(port)},
        timeout=20,
        check=False,
    )
    assert ended.returncode == exit_status
    assert handler.asked == ["GET /ready"]


def test_no_answer_is_unhealthy() -> None:
    assert not healthcheck.answers(1, "/ready")


def test_secrets_are_made_once(tmp_path: Path) -> None:
    made = bootstrap.make_missing(tmp_path)
    content = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert {path.parent.name for path in content} == set(bootstrap.READERS)
    assert sorted(made) == sorted(str(path.relative_to(tmp_path)) for path in content)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o440 for path in content)
    assert bootstrap.make_missing(tmp_path) == []
    assert {path: path.read_bytes() for path in content} == content


def test_no_two_secrets_are_alike_and_services_share_only_the_public_key(tmp_path: Path) -> None:
    bootstrap.make_missing(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files if path.name != "identity.pub.pem"]
    assert len(set(contents)) == len(contents)
    for service in bootstrap.SERVICES:
        names = {path.name for path in (tmp_path / service).iterdir()}
        assert names - {"data-keys"} == {"identity.pub.pem", "database-url"}


def test_the_key_pair_is_one(tmp_path: Path) -> None:
    bootstrap.make_missing(tmp_path)
    private = serialization.load_pem_private_key(
        (tmp_path / "gateway/identity.pem").read_bytes(), password=None
    )
    public = serialization.load_pem_public_key((tmp_path / "tts/identity.pub.pem").read_bytes())
    assert isinstance(private, Ed25519PrivateKey)
    assert isinstance(public, Ed25519PublicKey)
    public.verify(private.sign(b"x"), b"x")
    read_key_ring(tmp_path / "asr/data-keys")


def test_what_follows_from_a_secret_follows_its_change(tmp_path: Path) -> None:
    bootstrap.make_missing(tmp_path)
    before = (tmp_path / "redis/users.acl").read_text()
    for name in ("gateway/identity.pem", "redis/password", "postgres/speechgate_asr"):
        (tmp_path / name).unlink()
    assert set(bootstrap.make_missing(tmp_path)) == {
        "gateway/identity.pem",
        *(f"{service}/identity.pub.pem" for service in bootstrap.SERVICES),
        "redis/password",
        "redis/users.acl",
        "gateway/redis-url",
        "postgres/speechgate_asr",
        "asr/database-url",
    }
    password = (tmp_path / "redis/password").read_text()
    assert password in (tmp_path / "gateway/redis-url").read_text()
    assert password not in (tmp_path / "redis/users.acl").read_text()
    assert (tmp_path / "redis/users.acl").read_text() != before


def test_the_shell_reads_the_flag_servers_secrets(tmp_path: Path) -> None:
    bootstrap.make_missing(tmp_path)
    shown = subprocess.run(
        ["/bin/sh", "-ec", '. "$1/unleash/environment"; env', "sh", str(tmp_path)],
        env={},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout
    token = (tmp_path / "gateway/unleash-token").read_text()
    assert f"INIT_BACKEND_API_TOKENS={token}" in shown.splitlines()


def test_flags_that_are_there_stay(server: tuple[type[Answers], int]) -> None:
    handler, port = server
    projects = "/api/admin/projects/default/features"
    feature = {"name": "f", "enabled": True, "strategies": [{"name": "default"}]}

    unleash = flags.FlagServer(f"http://127.0.0.1:{port}", "token")
    assert flags.make_missing(unleash, [feature], 0) == ["f"]
    at = f"POST {projects}/f/environments/development"
    assert handler.asked == [f"POST {projects}", f"{at}/strategies", f"{at}/on"]

    handler.asked.clear()
    handler.statuses = {projects: 409}
    assert flags.make_missing(unleash, [feature], 0) == []
    assert handler.asked == [f"POST {projects}"]

    handler.statuses = {projects: 403}
    with pytest.raises(flags.FlagServerError, match="403"):
        flags.make_missing(unleash, [feature], 0)


def test_tritons_options_come_from_the_environment() -> None:
    assert triton_server.Options.read({}) == triton_server.Options()
    read = triton_server.Options.read(
        {
            "SPEECHGATE_TRITON_INSTANCES": "",
            "SPEECHGATE_TRITON_EXTRA_MODELS": "asr_whisper, tts_piper",
            "SPEECHGATE_TRITON_REPOSITORY": "/models",
            "SPEECHGATE_TRITON_START_TIMEOUT_S": "5",
        }
    )
    assert read.instances is None
    assert read.extra == ("asr_whisper", "tts_piper")
    assert read.repository == Path("/models")
    assert read.start_timeout_s == 5.0


def test_triton_loads_what_needs_no_weights() -> None:
    repository = Path(__file__).resolve().parents[3] / "triton_models"
    options = triton_server.Options(repository=repository, extra=("asr", "asr_whisper"))
    container = triton_server.Container(options)
    command = triton_server.command(Path("/run/models"), container.models)
    assert "--model-control-mode=explicit" in command
    assert "--load-model=asr" in command
    assert container.extra == ["asr_whisper"]
    assert "--load-model=asr_whisper" not in command
    assert not any("trace" in argument for argument in command)


def test_triton_joins_traces_where_there_is_a_receiver() -> None:
    given = {"SPEECHGATE_OTLP_ENDPOINT": "http://collector:4318/"}
    options = triton_server.Options.read(given)
    command = triton_server.command(Path("/run/models"), [], options.otlp_endpoint)
    assert "--trace-config=mode=opentelemetry" in command
    assert "--trace-config=opentelemetry,url=http://collector:4318/v1/traces" in command
    assert "--trace-config=rate=0" in command
    assert triton_server.Options.read({"SPEECHGATE_OTLP_ENDPOINT": ""}).otlp_endpoint is None


def test_triton_is_whole_only_after_its_models_answered(tmp_path: Path) -> None:
    assert not triton_server.is_whole(tmp_path)
