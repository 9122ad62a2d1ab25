"""What a gateway tells a Redis that was restarted, so that no window starts afresh."""

from array import array
from collections.abc import Iterator
from importlib.resources import files
from struct import pack

from gateway.db.redis_wire import Session, encode
from gateway.ratelimit.batch import LOGS
from gateway.ratelimit.memory_limiter import MemoryLimiter
from shared.logging import get_logger

_logger = get_logger(__name__)
_MERGE = files("gateway.ratelimit").joinpath("merge.lua").read_bytes()
_SEEN_S = 3_600
_MAX_KEYS, _MAX_UNITS = 64, 16_384
# The longest window is a day; the script prolongs a log's life every eighth of that.
_LIFE_MS = 28 * 3_600 * 1_000
_WHO = encode(b"INFO", b"server")


class Restoring:
    """Notices another Redis, or the same one restarted, and restores the logs of recent keys.

    The first gateway to come gives back what it accepted itself, the next adds its own.

    Args:
        local: Knows what this process accepted.

    Attributes:
        active: Redis must not decide yet.
    """

    def __init__(self, local: MemoryLimiter) -> None:
        self._local = local
        self._run_id: bytes | None = None
        self.active = False

    async def greet(self, session: Session) -> bool:
        """Restore if need be; whether it was done.

        Raises:
            OSError: The session was lost; the next one will be greeted again.
            hiredis.ReplyError: Redis refuses.
        """
        run_id = _run_id(await session.call(_WHO))
        if run_id == self._run_id:
            return False
        self.active = True
        try:
            keys = units = 0
            for names, logs in _portions(self._local.recent(_SEEN_S)):
                await session.call(
                    encode(b"EVAL", _MERGE, b"%d" % len(names), *names, b"%d" % _LIFE_MS, *logs)
                )
                keys += len(names)
                units += sum(map(len, logs)) // 8
        finally:
            self.active = False
        if keys:
            _logger.warning("limits were restored in Redis", keys=keys, units=units)
        self._run_id = run_id
        return True


def _run_id(answer: bytes) -> bytes:
    fields = dict(line.partition(b":")[::2] for line in answer.split(b"\r\n"))
    return fields.get(b"run_id", b"")


def _portions(
    recent: Iterator[tuple[str, "array[int]"]],
) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Logs in portions that keep Redis busy for milliseconds only."""
    names: list[bytes] = []
    logs: list[bytes] = []
    units = 0
    for key, log in recent:
        if names and (len(names) >= _MAX_KEYS or units + len(log) > _MAX_UNITS):
            yield names, logs
            names, logs, units = [], [], 0
        names.append(LOGS + key.encode())
        logs.append(pack(f"<{len(log)}d", *log))
        units += len(log)
    if names:
        yield names, logs
