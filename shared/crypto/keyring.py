"""Root keys: a file of lines `<id> <32 bytes in base64>`, the first of which encrypts.

To rotate, put a new line before the others; a key may go once nothing is wrapped by it any more.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KEY_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The root keys of a process.

    Attributes:
        current: Id of the key that encrypts.
        keys: Every key by its id.
    """

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


def read_key_ring(path: Path) -> KeyRing:
    """The root keys of a file; empty lines and those that begin with `#` are passed over.

    Raises:
        ValueError: A line is none, an id is there twice, or there is no key; never quotes a key.
        OSError: The file cannot be read.
    """
    keys: dict[str, bytes] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key_id, _, encoded = line.strip().partition(" ")
        try:
            key = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            key = b""
        if not _ID.fullmatch(key_id) or len(key) != KEY_BYTES:
            raise ValueError(f"{path}: line {number} is no id and {KEY_BYTES} bytes in base64")
        if key_id in keys:
            raise ValueError(f"{path}: line {number} names an id a second time")
        keys[key_id] = key
    if not keys:
        raise ValueError(f"{path}: no key in it")
    return KeyRing(next(iter(keys)), keys)


def new_key_line(key_id: str) -> str:
    """A line for the file, with a new random key."""
    return f"{key_id} {base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
