"""HMACs of API keys under versioned peppers."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

MIN_PEPPER_BYTES = 16


class KeyHasher:
    """Makes and compares what is stored instead of a key.

    Args:
        peppers: Secret bytes by version.
        current: The version of new keys and of cache entries.

    Raises:
        ValueError: A pepper is too short to be secret, or the current one is missing.
    """

    def __init__(self, peppers: Mapping[int, bytes], current: int) -> None:
        if current not in peppers:
            raise ValueError(f"no pepper of version {current}")
        if any(len(pepper) < MIN_PEPPER_BYTES for pepper in peppers.values()):
            raise ValueError(f"a pepper has less than {MIN_PEPPER_BYTES} bytes")
        self._peppers = dict(peppers)
        self._current_pepper = peppers[current]
        self.current = current

    @classmethod
    def from_files(cls, current: int, file: Path, previous: Mapping[int, Path]) -> "KeyHasher":
        """Read the peppers; white space around one is not part of it."""
        files = {**previous, current: file}
        return cls({version: path.read_bytes().strip() for version, path in files.items()}, current)

    def digest(self, key: str) -> bytes:
        """HMAC-SHA-256 under the current pepper."""
        return hmac.digest(self._current_pepper, key.encode(), hashlib.sha256)

    def matches(self, key: str, stored: bytes | None, version: int | None) -> bool:
        """Compare in constant time; a missing key costs the same comparison."""
        pepper = self._peppers.get(self.current if version is None else version)
        expected = hmac.digest(pepper or self._current_pepper, key.encode(), hashlib.sha256)
        equal = hmac.compare_digest(expected, stored if stored is not None else bytes(32))
        return equal and stored is not None and pepper is not None
