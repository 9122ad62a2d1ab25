"""Redaction: a text without its personal data."""

import hashlib
import hmac
from collections.abc import Sequence

from shared.text.pii.find import LEAST, find_pii
from shared.text.pii.model import Action, Finding, PiiKind, Policy, Redacted, Replacement

_HASH_DIGITS = 16
_DIGITS_ONLY = frozenset(
    {PiiKind.CREDIT_CARD, PiiKind.US_SSN, PiiKind.AADHAAR, PiiKind.PHONE, PiiKind.ACCOUNT_NUMBER}
)


def redact(text: str, policy: Policy, *, least: float = LEAST) -> Redacted:
    """Find personal data and put it out of sight, as a policy says.

    Args:
        text: Any.
        policy: What becomes of each kind.
        least: Less sure findings are left out.
    """
    return apply(text, find_pii(text, least=least), policy)


def apply(text: str, found: Sequence[Finding], policy: Policy) -> Redacted:
    """A text with its findings replaced.

    Args:
        text: Any.
        found: Its findings, in order and without overlaps.
        policy: What becomes of each kind.
    """
    parts: list[str] = []
    replacements = []
    end = length = 0
    for one in found:
        action = policy.action(one.kind)
        instead = _instead(text[one.start : one.end], one, action, policy.key)
        parts += (text[end : one.start], instead)
        start = length + one.start - end
        length = start + len(instead)
        end = one.end
        replacements.append(Replacement(one, action, start, length))
    parts.append(text[end:])
    return Redacted("".join(parts), tuple(replacements))


def _instead(written: str, one: Finding, action: Action, key: bytes) -> str:
    if action is Action.KEEP:
        return written
    if action is Action.MASK:
        return "".join("*" if character.isalnum() else character for character in written)
    if action is Action.HASH:
        return f"[{one.kind}:{pseudonym(one, key)}]"
    return f"[{one.kind}]"


def pseudonym(one: Finding, key: bytes) -> str:
    """A keyed hash of what a finding says: the same for a number written and spoken."""
    value = one.value
    if one.kind in _DIGITS_ONLY:
        value = "".join(filter(str.isalnum, value))
    message = f"{one.kind}\0{value}".encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_HASH_DIGITS]
