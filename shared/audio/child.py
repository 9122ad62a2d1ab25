"""The decoder child: a loop over its socket, inside limits that it sets on itself first.

Started by `shared.audio.decode` with an empty environment, no network and no secrets. A request is
one packet of JSON with two descriptors: the file to read and the file to write. A reply is one
packet of JSON.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from dataclasses import asdict
from typing import Any

from shared.audio.contract import DecodeBounds, DecodeRequest
from shared.audio.decoder import TrackWriter, decode
from shared.audio.formats import AudioFormat
from shared.audio.streams import DecodeFailure
from shared.audio.view import FileView

READY = b"R"
MAX_PACKET = 4096
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_MAX_OPEN_FILES = 16
_REQUESTS = 0


def confine(memory_bytes: int, file_bytes: int, parent: int) -> None:
    """Limit this process for good: memory, files, privileges, and its life to its parent's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # The parent died before the signal was asked for.
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def allow_cpu(seconds: int) -> None:
    """Let the process use this much more CPU time; beyond, the kernel ends it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, resource.RLIM_INFINITY))


def answer(head: dict[str, Any], source: int, output: int, bounds: DecodeBounds) -> dict[str, Any]:
    """The reply to one request: an `Outline`, or the code of a failure."""
    declared = AudioFormat(head["format"]) if head["format"] else None
    request = DecodeRequest(declared, head["rate"], head["separate"])
    writer = TrackWriter(output, head["room"], bounds.track_bytes)
    try:
        outline = decode(FileView(source, head["size"]), request, bounds, writer)
    except DecodeFailure as failure:
        return {"code": failure.code}
    except MemoryError:
        return {"code": "decode_failed"}
    return {"code": None, **asdict(outline)}


def serve(link: socket.socket, bounds: DecodeBounds) -> None:
    """Answer requests until the parent closes the socket."""
    while True:
        packet, descriptors, _, _ = socket.recv_fds(link, MAX_PACKET, 2)
        if not packet:
            return
        source, output = descriptors
        head = json.loads(packet)
        allow_cpu(head["cpu_seconds"])
        try:
            reply = answer(head, source, output, bounds)
        finally:
            os.close(source)
            os.close(output)
        link.send(json.dumps(reply).encode())


def main() -> None:
    """Entry point; the only argument is the configuration as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    configuration = json.loads(sys.argv[-1])
    bounds = DecodeBounds(**configuration["bounds"])
    file_bytes = bounds.track_bytes * bounds.max_channels
    confine(configuration["memory_bytes"], file_bytes, configuration["parent"])
    with socket.socket(fileno=_REQUESTS) as link:
        link.send(READY)
        serve(link, bounds)
