"""A folder of fsynced files that keeps accepted rows while the database is unreachable."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.db.base import new_id

_TIME_TAG = "$utc"
_ID_TIME_DIGITS = 12  # Of an id: milliseconds since 1970.


class Spool:
    """Append-only batches, one file each, replayed in order of their names.

    Args:
        folder: Created (0700) when absent.
        max_files: Beyond this, `append` raises: the disk is not endless.
    """

    def __init__(self, folder: Path, *, max_files: int = 10_000) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._max_files = max_files
        self._waiting = dict.fromkeys(self.names())  # In the order of their times.

    def depth(self) -> int:
        """Files that wait."""
        return len(self._waiting)

    def oldest_at(self) -> float | None:
        """When the oldest waiting file was written, in Unix seconds; None without any."""
        # A copy, made at once: writing and replaying are threads of their own.
        oldest = next(iter(list(self._waiting)), None)
        if oldest is None:
            return None
        try:
            return int(oldest[:_ID_TIME_DIGITS], 16) / 1000
        except ValueError:  # Somebody put it there by hand.
            return None

    def names(self) -> list[str]:
        """Names of the waiting files, oldest first; ids sort by time."""
        return sorted(entry.name for entry in self._folder.glob("*.json"))

    def append(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Store a batch; it survives the process and the machine once this returns.

        Raises:
            OSError: The spool is full or the disk refuses.
        """
        if self.depth() >= self._max_files:
            raise OSError("spool is full")
        name = f"{new_id()}.json"
        partial = self._folder / f"{name}.partial"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # SQLAlchemy's table names are a subclass of str, which orjson refuses as keys.
            named = {str(table): found for table, found in rows.items()}
            file.write(orjson.dumps(named, default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._folder / name)
        self._sync_folder()
        self._waiting[name] = None

    def read(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """The rows of one file."""
        found: dict[str, list[dict[str, Any]]] = orjson.loads((self._folder / name).read_bytes())
        return {
            table: [{key: _decode(value) for key, value in row.items()} for row in rows]
            for table, rows in found.items()
        }

    def remove(self, name: str) -> None:
        """Forget a file whose rows are in the database."""
        (self._folder / name).unlink(missing_ok=True)
        self._waiting.pop(name, None)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_TIME_TAG: value.isoformat()}
    raise TypeError(type(value).__name__)


def _decode(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {_TIME_TAG}:
        return datetime.fromisoformat(value[_TIME_TAG])
    return value
