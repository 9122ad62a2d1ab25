"""Texts as every database takes them: PostgreSQL has no NUL, neither in text nor in JSON.

U+FFFD stands for it, one for one, so that places in a text stay right. Without it one such
character would cost a row that was accepted, or block the spool that keeps it.
"""

import json
import re
from typing import Any

_NUL, _STAND_IN = "\0", "\ufffd"
# An escape, not the last half of an escaped backslash; it never starts twice in one run.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable_row(row: dict[str, Any]) -> dict[str, Any]:
    """The row with no NUL in its texts; its JSON documents go through `dump_json`."""
    wrong = [name for name, value in row.items() if isinstance(value, str) and _NUL in value]
    if not wrong:
        return row
    return {**row, **{name: row[name].replace(_NUL, _STAND_IN) for name in wrong}}


def dump_json(value: Any) -> str:
    """A document for a column of JSON, with no NUL in its texts and names."""
    written = json.dumps(value)
    if r"\u0000" not in written:
        return written
    return _ESCAPED_NUL.sub(r"\1\\ufffd", written)
