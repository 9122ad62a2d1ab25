"""Long-lived Apertium pipelines and the translator over them.

No Triton in here. Apertium is GPL: its stages are only ever run as programs.
"""

import contextlib
import os
import selectors
import shutil
import subprocess
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from nmt_text import (
    ISO_639_3,
    ClientError,
    EngineError,
    Payload,
    clean_text,
    decode,
    encode,
    lines_of,
    parse_mode,
)

# A line may grow in translation, but not without end.
MAX_REPLY_BYTES = 1 << 20
APT = "apt packages apertium-eng-spa, apertium-eng-cat, apertium-urd-hin"
# Without a UTF-8 locale the stages read bytes as single characters.
CHILD_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}

Outcome = Union[str, ClientError, EngineError]


class Pipeline:
    """The stages of one direction, connected by pipes; for one thread."""

    def __init__(self, stages: Sequence[Sequence[str]], timeout: float) -> None:
        """Start the stages.

        Args:
            stages: commands from ``parse_mode``.
            timeout: seconds a reply may take.

        Raises:
            EngineError: a program does not start.
        """
        self._timeout = timeout
        self._children: List["subprocess.Popen[bytes]"] = []
        self._partial = bytearray()
        self._sent = 0
        upstream: int = subprocess.PIPE
        try:
            for stage in stages:
                child = subprocess.Popen(
                    list(stage),
                    stdin=upstream,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, **CHILD_ENVIRONMENT, "PATH": _path()},
                    bufsize=0,
                )
                if self._children:
                    os.close(upstream)
                self._children.append(child)
                _favour_throughput(child.pid)
                assert child.stdout is not None  # noqa: S101
                # Ours alone: no file object may close it a second time.
                upstream = os.dup(child.stdout.fileno())
                child.stdout.close()
        except OSError as error:
            if self._children:
                os.close(upstream)
            self._output = -1
            self.close()
            raise EngineError(f"an Apertium stage does not start ({APT})") from error
        assert self._children[0].stdin is not None  # noqa: S101
        self._input = self._children[0].stdin.fileno()
        self._output = upstream
        os.set_blocking(self._input, False)
        os.set_blocking(self._output, False)

    @property
    def pids(self) -> List[int]:
        """Process ids of the stages, first to last."""
        return [child.pid for child in self._children]

    def exchange(self, payloads: Sequence[bytes]) -> Iterator[bytes]:
        """Send NUL-free payloads and yield their replies in order.

        Everything is written ahead, so that the stages work side by side. Each
        payload ends in a numbered blank that must come back: a dying stage
        makes the next ones send empty replies. After an error the pipeline is
        of no use any more.

        Raises:
            EngineError: a stage died, answered too much, or took too long.
        """
        marks = [b"[%d]" % (self._sent + number) for number in range(len(payloads))]
        self._sent += len(payloads)
        ends = (payload + mark + b"\0" for payload, mark in zip(payloads, marks, strict=True))
        pending = memoryview(b"".join(ends))
        deadline = time.monotonic() + self._timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if pending:
                selector.register(self._input, selectors.EVENT_WRITE)
            while marks:
                events = selector.select(max(deadline - time.monotonic(), 0))
                if not events:
                    raise EngineError("Apertium did not answer in time")
                for key, _ in events:
                    if key.fd == self._input:
                        pending = pending[self._write(pending) :]
                        if not pending:
                            selector.unregister(self._input)
                        continue
                    for reply in self._read():
                        if not marks or not reply.endswith(marks[0]):
                            raise EngineError("an Apertium stage died")
                        deadline = time.monotonic() + self._timeout
                        yield reply[: -len(marks.pop(0))]

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._input, data[:65536])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise EngineError("an Apertium stage died") from error

    def _read(self) -> List[bytes]:
        try:
            data = os.read(self._output, 65536)
        except BlockingIOError:
            return []
        if not data:
            raise EngineError("an Apertium stage died")
        self._partial += data
        *replies, rest = bytes(self._partial).split(b"\0")
        self._partial = bytearray(rest)
        if len(rest) > MAX_REPLY_BYTES:
            raise EngineError("Apertium answered too much")
        return replies

    def close(self) -> None:
        """Kill the stages and wait for them."""
        for child in self._children:
            child.kill()
        for child in self._children:
            child.wait()
        if self._children and self._children[0].stdin is not None:
            self._children[0].stdin.close()
        if self._output >= 0:
            os.close(self._output)
            self._output = -1


def _favour_throughput(pid: int) -> None:
    """Let a stage finish what it has at hand before the stage after it gets its core.

    Otherwise each reply hands the core on, and the next stage finds the caches without its tables.
    """
    # Only speed is lost where that is not allowed.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def _path() -> str:
    """Return the search path of the stages: the usual one after our own."""
    return os.pathsep.join([os.environ.get("PATH", ""), os.defpath]).strip(os.pathsep)


def installed(pairs: Sequence[str], modes_dir: Path) -> Dict[str, List[List[str]]]:
    """Return the stages of those pairs whose mode, programs and data exist.

    Raises:
        EngineError: there is not one.
    """
    found: Dict[str, List[List[str]]] = {}
    for pair in pairs:
        source, _, target = pair.partition("-")
        mode = modes_dir / f"{ISO_639_3.get(source)}-{ISO_639_3.get(target)}.mode"
        try:
            stages = parse_mode(mode.read_text(encoding="utf-8"))
        except (OSError, EngineError):
            continue
        programs = [shutil.which(stage[0], path=_path()) for stage in stages]
        files = [word for stage in stages for word in stage[1:] if word.startswith("/")]
        if all(programs) and all(Path(file).is_file() for file in files):
            found[pair] = stages
    if not found:
        raise EngineError(f"no Apertium translation mode is installed ({APT})")
    return found


class Translator:
    """Starts a pair's pipeline when it is first asked for, and again when it died."""

    def __init__(self, pairs: Sequence[str], modes_dir: Path, timeout: float) -> None:
        """Look which pairs are installed; EngineError if none."""
        self._stages = installed(pairs, modes_dir)
        self._timeout = timeout
        self._pipelines: Dict[str, Pipeline] = {}

    @property
    def pairs(self) -> List[str]:
        """The pairs served, such as ``en-es``."""
        return list(self._stages)

    @property
    def pids(self) -> Dict[str, List[int]]:
        """Process ids of the running stages by pair."""
        return {pair: pipeline.pids for pair, pipeline in self._pipelines.items()}

    def translate(self, pair: str, raw_texts: Sequence[bytes]) -> List[Outcome]:
        """Translate texts of one served pair, each with its own outcome.

        Args:
            pair: from ``check_pair``.
            raw_texts: UTF-8, at most 5,000 characters each; line breaks stay.

        Returns:
            A text, or the error of that text alone, in the order given.
        """
        outcomes: List[Outcome] = []
        work: List[Tuple[int, int, Payload]] = []  # text, line, what to send
        split: List[List[str]] = []
        for index, raw in enumerate(raw_texts):
            lines: List[str] = []
            try:
                lines = lines_of(clean_text(raw))
                outcomes.append("")
            except ClientError as error:
                outcomes.append(error)
            # Lines with nothing to translate stay as they are.
            work += [(index, n, encode(line)) for n, line in enumerate(lines) if line.strip()]
            split.append(lines)

        def keep(position: int, reply: bytes) -> None:
            index, line, payload = work[position]
            split[index][line] = decode(reply, payload)

        for position, failure in self._run(pair, [item[2].data for item in work], keep).items():
            outcomes[work[position][0]] = failure
        return [
            "\n".join(lines) if isinstance(outcome, str) else outcome
            for outcome, lines in zip(outcomes, split, strict=True)
        ]

    def _run(
        self, pair: str, payloads: List[bytes], keep: Callable[[int, bytes], None]
    ) -> Dict[int, EngineError]:
        """Send payloads until each has a reply or has failed twice."""
        failed: Dict[int, EngineError] = {}
        done = 0
        tried: Optional[int] = None
        while done < len(payloads):
            # After a failure its sentence goes alone, so that it cannot take
            # others with it, then the rest.
            ahead = payloads[done : done + 1] if tried == done else payloads[done:]
            try:
                for reply in self._pipeline(pair).exchange(ahead):
                    keep(done, reply)
                    done += 1
            except EngineError as error:
                self._discard(pair)
                if tried == done:
                    failed[done] = error
                    done += 1
                else:
                    tried = done
        return failed

    def _pipeline(self, pair: str) -> Pipeline:
        if pair not in self._pipelines:
            self._pipelines[pair] = Pipeline(self._stages[pair], self._timeout)
        return self._pipelines[pair]

    def _discard(self, pair: str) -> None:
        pipeline = self._pipelines.pop(pair, None)
        if pipeline is not None:
            pipeline.close()

    def close(self) -> None:
        """Stop all pipelines."""
        for pair in list(self._pipelines):
            self._discard(pair)
