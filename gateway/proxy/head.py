"""Reads the head of a proxied request in one pass: what is refused, dropped, kept.

What a name means is worked out once and remembered: clients send the same few names.
"""

import re

from gateway.exceptions import BadHeader, BadPath, CredentialRefused

Header = tuple[bytes, bytes]

# Encoded separators and dots, and NUL, mean different paths to different parsers.
_FORBIDDEN = re.compile(
    rb"%2f|%5c|%00|%2e|\\|#|//|/\.{1,2}(?:/|$)|[^\x21-\x7e]|%(?![0-9a-f]{2})", re.IGNORECASE
)
_SCHEMES = frozenset({"bearer", "apikey"})
_MAX_REMEMBERED = 4096
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close", b"upgrade", b"keep-alive, upgrade"})


# Plain integers: comparing members of an enumeration takes three times as long.
_KEEP = 0
_DROP = 1
_SINGLE = 2  # May occur once; not passed on as it is.
_CONNECTION = 3
_NOTED = 4  # The gateway reads it, and says it itself.
_FORBIDDEN_NAME = 5

_MEANINGS: dict[bytes, int] = {
    # RFC 9110 §7.6.1, plus the two that are not standard and still seen.
    b"connection": _CONNECTION,
    **dict.fromkeys(
        (
            b"keep-alive",
            b"proxy-authenticate",
            b"proxy-authorization",
            b"proxy-connection",
            b"te",
            b"trailer",
            b"upgrade",
            # The gateway says these itself, or they end here.
            b"cookie",
            b"forwarded",
            b"x-real-ip",
        ),
        _DROP,
    ),
    **dict.fromkeys(
        (b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key"),
        _SINGLE,
    ),
    **dict.fromkeys((b"x-request-id", b"traceparent", b"x-session-id", b"expect"), _NOTED),
}
_INTERNAL_PREFIXES = (b"x-sg-", b"x-user-", b"x-forwarded-")


def _meaning(name: bytes) -> int:
    if b"_" in name:
        meaning = _FORBIDDEN_NAME
    elif name.startswith(_INTERNAL_PREFIXES):
        meaning = _DROP
    else:
        meaning = _KEEP
    if len(_MEANINGS) < _MAX_REMEMBERED:
        _MEANINGS[name] = meaning
    return meaning


def check_path(raw_path: bytes) -> str:
    """The path as text.

    Raises:
        BadPath: It could be resolved in two ways.
    """
    if _FORBIDDEN.search(raw_path) or not raw_path.startswith(b"/"):
        raise BadPath("The path contains characters that are not allowed here.")
    return raw_path.decode("ascii")


class RequestHead:
    """What a request's header fields say.

    Attributes:
        kept: What the service receives of them.
        single: Values of the fields that may occur once.
        noted: Values of those that the gateway reads.

    Raises:
        BadHeader: A repeated or missing field, one that frames the body in two ways, or a name
            that other software reads as another one.
    """

    __slots__ = ("kept", "noted", "single")

    def __init__(  # noqa: C901 - one loop over every field of every request; calls cost more
        self, headers: list[Header], version: str
    ) -> None:
        kept: list[Header] = []
        single: dict[bytes, bytes] = {}
        noted: dict[bytes, bytes] = {}
        self.kept, self.single, self.noted = kept, single, noted
        named = b""
        meanings = _MEANINGS
        for field in headers:
            name = field[0]
            meaning = meanings.get(name)
            if meaning is None:
                meaning = _meaning(name)
            if meaning == _KEEP:
                kept.append(field)
            elif meaning == _SINGLE:
                if name in single:
                    raise BadHeader(f"The header {name.decode()} is repeated.")
                single[name] = field[1]
            elif meaning == _NOTED:
                noted.setdefault(name, field[1])
            elif meaning == _CONNECTION:
                named += b"," + field[1] if named else field[1]
            elif meaning == _FORBIDDEN_NAME:
                raise BadHeader("Header names must not contain an underscore.")
        if b"host" not in single or b"content-length" in single or b"transfer-encoding" in single:
            self._check(version)
        if named and named.lower() not in _PLAIN_CONNECTION:
            self._forget({token.strip().lower() for token in named.split(b",")})

    @property
    def length(self) -> int | None:
        """Of the body as declared; None where it is not: chunked, or no body."""
        declared = self.single.get(b"content-length")
        return None if declared is None else int(declared)

    def _check(self, version: str) -> None:
        single = self.single
        if b"host" not in single and version != "1.0":
            raise BadHeader("The header host is missing.")
        length, coding = single.get(b"content-length"), single.get(b"transfer-encoding")
        if length is not None and (coding is not None or not length.isdigit()):
            raise BadHeader("The length of the request body is ambiguous.")
        if coding is not None and coding.lower() != b"chunked":
            raise BadHeader("The only transfer coding that is read here is chunked.")

    def _forget(self, named: set[bytes]) -> None:
        """Drop what `Connection` names: it concerns this hop only."""
        if not named.isdisjoint(self.single):
            # Some software would then take the field away that decides who this is.
            raise BadHeader("The header connection names a field that is not its to name.")
        self.kept = [field for field in self.kept if field[0] not in named]
        for name in named & self.noted.keys():
            del self.noted[name]

    @property
    def presented(self) -> tuple[bytes | None, bytes | None]:
        """The fields that `credential` reads."""
        single = self.single
        return single.get(b"x-api-key"), single.get(b"authorization")

    def credential(self) -> str:
        """The API key or access token that the request presents.

        `X-API-Key: <key>`, or `Authorization:` with `Bearer <key>`, `Apikey <key>` or the bare key.

        Raises:
            CredentialRefused: Codes `key_missing`, `key_malformed`.
        """
        found = self.single.get(b"x-api-key") or self.single.get(b"authorization")
        words = found.decode("latin-1").split() if found else ()
        if len(words) == 2 and words[0].lower() in _SCHEMES:  # noqa: PLR2004 - scheme and key
            return words[1]
        if len(words) == 1:
            return words[0]
        if not words:
            raise CredentialRefused(
                "Send an API key in the header Authorization or X-API-Key.", code="key_missing"
            )
        raise CredentialRefused("The API key is not well-formed.", code="key_malformed")
