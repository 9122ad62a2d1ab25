"""What a client receives of a service's answer."""

from collections.abc import Iterable

from gateway.server.response import lines

Header = tuple[bytes, bytes]


class Meaning:
    """Of a field's name. Plain integers: members of an enumeration compare three times slower."""

    KEEP, DROP, CONNECTION, LENGTH, POLICY, USED = range(6)


_KEEP, _DROP, _CONNECTION = Meaning.KEEP, Meaning.DROP, Meaning.CONNECTION
_LENGTH, _POLICY, _USED = Meaning.LENGTH, Meaning.POLICY, Meaning.USED
_MEANINGS: dict[bytes, int] = {
    b"connection": _CONNECTION,
    b"content-length": _LENGTH,
    b"x-sg-model-used": _USED,
    **dict.fromkeys((b"content-security-policy", b"cache-control"), _POLICY),
    **dict.fromkeys(
        (
            b"keep-alive",
            b"proxy-authenticate",
            b"proxy-authorization",
            b"proxy-connection",
            b"te",
            b"trailer",
            b"transfer-encoding",
            b"upgrade",
            b"date",
            b"server",
            b"ratelimit",
            b"ratelimit-policy",
            b"www-authenticate",
            b"x-request-id",
            b"traceparent",
            b"x-model-variant",
            b"x-content-type-options",
            b"x-frame-options",
            b"referrer-policy",
            b"cross-origin-resource-policy",
        ),
        _DROP,
    ),
}
_INTERNAL_PREFIXES = (b"x-sg-", b"x-user-")
_MAX_REMEMBERED = 4096
_PLAIN_CONNECTION = frozenset({b"keep-alive", b"close"})

# What every answer says to browsers; an answer's own policies for content and caching win.
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
POLICIES = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
PROTECTION = lines((*SECURITY, *POLICIES))


def meaning_of(name: bytes) -> int:
    """What happens to a field.

    Args:
        name: In lower case.
    """
    meaning = _MEANINGS.get(name)
    return _learn(name) if meaning is None else meaning


def _learn(name: bytes) -> int:
    meaning = _DROP if name.startswith(_INTERNAL_PREFIXES) else _KEEP
    if len(_MEANINGS) < _MAX_REMEMBERED:
        _MEANINGS[name] = meaning
    return meaning


class AnswerHead:
    """The fields of an answer that cross the gateway.

    Attributes:
        kept: Of the service's, with `content-length` where it states one.
        framed: Whether it does.
        used: Which model it says answered; None where it does not say.
        protection: What the answer tells browsers, as field lines.
    """

    __slots__ = ("framed", "kept", "protection", "used")

    def __init__(self, headers: Iterable[Header]) -> None:
        kept: list[Header] = []
        self.kept = kept
        self.framed = False
        self.used: bytes | None = None
        self.protection = PROTECTION
        meanings = _MEANINGS
        named = b""
        for field in headers:
            name = field[0]
            meaning = meanings.get(name)
            if meaning is None:
                meaning = _learn(name)
            if meaning == _KEEP:
                kept.append(field)
            elif meaning == _LENGTH:
                self.framed = True
                kept.append(field)
            elif meaning == _POLICY:
                kept.append(field)
                self._protect()
            elif meaning == _USED:
                self.used = field[1]
            elif meaning == _CONNECTION:
                named += b"," + field[1] if named else field[1]
        if named and named.lower() not in _PLAIN_CONNECTION:
            self._forget({token.strip().lower() for token in named.split(b",")})

    def _protect(self) -> None:
        """An answer's own policies for content and caching win."""
        own = {name for name, _ in self.kept}
        self.protection = lines((*SECURITY, *(field for field in POLICIES if field[0] not in own)))

    def _forget(self, named: set[bytes]) -> None:
        """Drop what `Connection` names: it concerns that hop only."""
        self.kept = [field for field in self.kept if field[0] not in named]
