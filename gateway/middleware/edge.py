"""What a request must look like before anything else is asked about it."""

import re
from collections.abc import Mapping

from gateway.exceptions import BadPath, CredentialRefused

# Encoded separators and dots, and NUL, mean different paths to different parsers (TRUST 5).
_FORBIDDEN = re.compile(
    rb"%2f|%5c|%00|%2e|\\|//|/\.{1,2}(?:/|$)|[^\x21-\x7e]|%(?![0-9a-f]{2})", re.IGNORECASE
)
_SCHEMES = frozenset({"bearer", "apikey"})


def check_path(raw_path: bytes) -> str:
    """The path as text.

    Raises:
        BadPath: It could be resolved in two ways.
    """
    if _FORBIDDEN.search(raw_path) or not raw_path.startswith(b"/"):
        raise BadPath("The path contains characters that are not allowed here.")
    return raw_path.decode("ascii")


def credential(fields: Mapping[bytes, bytes]) -> str:
    """The API key that a request presents.

    `X-API-Key: <key>`, or `Authorization:` with `Bearer <key>`, `Apikey <key>` or the bare key.

    Raises:
        CredentialRefused: Codes `key_missing`, `key_malformed`.
    """
    found = fields.get(b"x-api-key") or fields.get(b"authorization")
    if not found or not found.strip():
        raise CredentialRefused(
            "Send an API key in the header Authorization or X-API-Key.", code="key_missing"
        )
    words = found.decode("latin-1").split()
    if len(words) == 1:
        return words[0]
    if len(words) == 2 and words[0].lower() in _SCHEMES:  # noqa: PLR2004 - scheme and key
        return words[1]
    raise CredentialRefused("The API key is not well-formed.", code="key_malformed")
