"""The tools behind `make images` and `make compose-test`, as far as they need no engine."""

import json
import resource
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy.docker import commands, composed, engine, images, load
from deploy.docker.commands import DockerError


class Replica(BaseHTTPRequestHandler):
    """Answers 200, but the first few requests as told: a status, or None to break off."""

    first: ClassVar[list[int | None]] = []
    bodies: ClassVar[list[bytes]] = []
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.bodies.append(body)
            status = self.first.pop(0) if self.first else 200
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Retry-After", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def replica() -> Iterator[tuple[type[Replica], str]]:
    handler = type("Handler", (Replica,), {"first": [], "bodies": []})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield handler, f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_load_counts_what_its_clients_got(replica: tuple[type[Replica], str]) -> None:
    handler, url = replica
    handler.first = [503, None, 400]
    counts = load.Load(url, "key", b"RIFF", retries=1).run(clients=2, requests=10)
    assert counts.requests == 10
    assert counts.at_once + counts.retried + counts.lost == 10
    assert counts.failures == {"503": 1, "RemoteDisconnected": 1, "400": 1}
    assert counts.lost >= 1  # The 400 is an answer; asking again would not help.
    assert all(b"RIFF" in body for body in handler.bodies)


def test_a_request_that_is_never_answered_is_lost(replica: tuple[type[Replica], str]) -> None:
    handler, url = replica
    handler.first = [503, 503]
    counts = load.Load(url, "key", b"RIFF", retries=1).run(clients=1, requests=2)
    assert (counts.lost, counts.at_once) == (1, 1)


def test_the_load_is_a_program_of_the_standard_library(
    replica: tuple[type[Replica], str], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    command = [sys.executable, "-I", load.__file__, replica[1], str(tmp_path / "a.wav")]
    ended = subprocess.run(
        [*command, "--requests=3", "--clients=2"],
        env={"SPEECHGATE_KEY": "k"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert json.loads(ended.stdout)["at_once"] == 3


@pytest.mark.parametrize(
    ("most", "wanted"),
    [(20_000, {"SPEECHGATE_OPEN_FILES": "20000"}), (65_536, {}), (resource.RLIM_INFINITY, {})],
)
def test_containers_ask_for_no_more_files_than_there_may_be(
    most: int, wanted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, most))
    assert composed.open_files() == wanted
    text = (commands.PROJECT / "docker-compose.yml").read_text()
    assert text.count(f"${{SPEECHGATE_OPEN_FILES:-{composed._OPEN_FILES}}}") == 2


def test_the_spread_is_the_greatest_difference_from_an_equal_share() -> None:
    assert composed.deviation([100, 100, 100]) == 0
    assert composed.deviation([115, 100, 85]) == pytest.approx(0.15)
    assert composed.deviation([0, 0, 0]) == 1


def test_served_requests_are_read_from_metrics() -> None:
    text = (
        'speechgate_http_requests_total{method="POST",route="/asr",status="200"} 12.0\n'
        'speechgate_http_requests_total{method="GET",route="/ready",status="200"} 99.0\n'
        'speechgate_http_requests_total{method="POST",route="/asr",status="503"} 1.0\n'
    )
    assert composed._POSTS.findall(text) == ["12.0", "1.0"]


def test_the_new_key_is_found_beside_log_lines() -> None:
    assert (
        composed.key_in('{"event": "x"}\n{\n  "id": "1",\n  "key": "sg_live_a"\n}\n') == "sg_live_a"
    )
    with pytest.raises(DockerError, match="no key"):
        composed.key_in('{"event": "x"}\nTraceback')


def test_the_readme_has_a_command_that_transcribes() -> None:
    command = composed.readme_command()
    assert command.startswith('curl -sS "$SPEECHGATE_URL/api/v1/asr/transcribe"')
    assert "Bearer $SPEECHGATE_KEY" in command


@pytest.mark.skipif(not composed._RECORDING.is_dir(), reason="needs the recordings of `make setup`")
def test_a_short_recording_is_the_beginning_of_a_real_one(tmp_path: Path) -> None:
    with wave.open(str(composed.short_recording(tmp_path, 0.5))) as file:
        assert file.getnframes() == file.getframerate() // 2


def test_the_bases_are_those_of_the_dockerfiles() -> None:
    assert images.base_of("gateway").startswith("python:3.11.")
    assert images.base_of("triton").startswith("nvcr.io/nvidia/tritonserver:")
    assert images.tag("asr") == f"speechgate/asr:{images.version()}"


def test_the_gateways_size_is_held_to_its_goal(capsys: pytest.CaptureFixture[str]) -> None:
    assert images.report([images.Image("gateway", 300_000_000, 150_000_000)])
    assert not images.report([images.Image("gateway", 400_000_000, 250_000_000)])
    assert "NOT within 200 MB" in capsys.readouterr().out


def test_a_command_that_hangs_or_fails_is_told() -> None:
    began = time.monotonic()
    with pytest.raises(DockerError, match="not within"):
        commands.run(["sleep", "30"], 0.2)
    assert time.monotonic() - began < 10
    with pytest.raises(DockerError, match="exit 3\nbroken"):
        commands.run(["sh", "-c", "echo broken; exit 3"], 10)
    with pytest.raises(DockerError, match="No such file"):
        commands.run(["/nowhere/docker"], 10)


def test_a_commands_output_may_go_to_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert commands.run(["echo", "one"], 10, log=log) == ""
    with pytest.raises(DockerError, match="two"):
        commands.run(["sh", "-c", "echo two; exit 1"], 10, log=log)
    assert log.read_text() == "one\ntwo\n"


def test_waiting_is_bounded() -> None:
    with pytest.raises(DockerError, match="a thing: not within"):
        commands.wait_until(lambda: False, 0.1, "a thing")


def test_only_the_program_that_a_file_means_is_ended(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "pid").write_text(str(process.pid))
        engine.end_by_file(tmp_path / "pid", "dockerd", 1.0)
        assert process.poll() is None
        waiter = threading.Thread(target=process.wait)
        waiter.start()
        engine.end_by_file(tmp_path / "pid", "sleep", 5.0)
        waiter.join(5.0)
        assert process.poll() is not None
    finally:
        process.kill()
        process.wait()
    engine.end_by_file(tmp_path / "absent", "sleep", 1.0)
