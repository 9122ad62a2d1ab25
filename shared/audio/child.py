"""The decoder child: a loop over its pipes, inside limits that it sets on itself first.

Started by `shared.audio.decode` with an empty environment, no sockets and no secrets. A request is
a length-prefixed JSON head and the file; a reply is a length-prefixed JSON head and the PCM.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

from shared.audio.contract import LENGTH, DecodeBounds
from shared.audio.decoder import DecodeFailure, decode
from shared.audio.formats import AudioFormat

READY = b"R"
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_MAX_OPEN_FILES = 16
_REQUESTS, _REPLIES, _LOG = 0, 1, 2
MEGABYTE = 1 << 20


def confine(memory_bytes: int, parent: int) -> None:
    """Limit this process for good: memory, files, privileges, and its life to its parent's."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # The parent died before the signal was asked for.
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_NOFILE, _MAX_OPEN_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def allow_cpu(seconds: int) -> None:
    """Let the process use this much more CPU time; beyond, the kernel ends it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, resource.RLIM_INFINITY))


def answer(head: dict[str, Any], content: bytes, bounds: DecodeBounds) -> tuple[bytes, memoryview]:
    """The reply to one request: its JSON head, and the PCM (empty after a failure)."""
    declared = AudioFormat(head["format"]) if head["format"] else None
    try:
        audio = decode(content, bounds, declared, head["rate"])
    except DecodeFailure as failure:
        return json.dumps({"code": failure.code, "bytes": 0}).encode(), memoryview(b"")
    except MemoryError:
        return json.dumps({"code": "decode_failed", "bytes": 0}).encode(), memoryview(b"")
    reply = {
        "code": None,
        "bytes": audio.pcm.nbytes,
        "format": audio.audio_format,
        "rate": audio.source_rate,
        "channels": audio.channels,
    }
    return json.dumps(reply).encode(), memoryview(audio.pcm.tobytes())


def _read_exactly(descriptor: int, size: int) -> bytes:
    """Bytes from a pipe; fewer only at its end."""
    received = bytearray()
    while len(received) < size:
        part = os.read(descriptor, min(size - len(received), MEGABYTE))
        if not part:
            break
        received += part
    return bytes(received)


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def serve(replies: int, bounds: DecodeBounds, cpu_seconds: int) -> None:
    """Answer requests until the parent closes the pipe."""
    while prefix := _read_exactly(_REQUESTS, LENGTH.size):
        head = json.loads(_read_exactly(_REQUESTS, LENGTH.unpack(prefix)[0]))
        content = _read_exactly(_REQUESTS, head["length"])
        if len(content) < head["length"]:
            return
        allow_cpu(cpu_seconds)
        reply, pcm = answer(head, content, bounds)
        del content
        _write(replies, memoryview(LENGTH.pack(len(reply)) + reply))
        _write(replies, pcm)


def main() -> None:
    """Entry point; the only argument is the configuration as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    configuration = json.loads(sys.argv[-1])
    confine(configuration["memory_bytes"], configuration["parent"])
    # A library that prints must not write into the replies.
    replies = os.dup(_REPLIES)
    os.dup2(_LOG, _REPLIES)
    _write(replies, memoryview(READY))
    serve(replies, DecodeBounds(**configuration["bounds"]), configuration["cpu_seconds"])
