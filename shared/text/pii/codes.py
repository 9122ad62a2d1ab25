"""Codes of letters and digits that are known by their shape: IBAN, PAN, internet addresses."""

import ipaddress
import re
from collections.abc import Iterator

from shared.text.pii.checksums import iban
from shared.text.pii.model import Finding, PiiKind

# Lengths from the SWIFT registry of IBAN formats.
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24,
    "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
    "VG": 24, "XK": 20,
}  # fmt: skip
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ ]?\d\d(?=[ -]?[A-Za-z0-9])")
_IBAN_GAP = frozenset(" -")
# The fourth letter says whose: a person, a company, a trust …; the fifth is of the name.
_PAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{3}[ABCFGHJLPTabcfghjlpt][A-Za-z][ ]?\d{4}[ ]?[A-Za-z](?![A-Za-z0-9])"
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?![\w:])"
)
_VERSION = re.compile(r"(?:version|release|firmware|build|section|chapter|v)\.?\s?$", re.IGNORECASE)
_SHORTEST_IPV6 = 6


def ibans(text: str) -> Iterator[Finding]:
    """International bank account numbers whose check digits fit."""
    for found in _IBAN_START.finditer(text):
        end, code = _collect(text, found.start())
        if code and iban(code):
            yield Finding(PiiKind.IBAN, found.start(), end, 0.98, code)


def _collect(text: str, start: int) -> tuple[int, str]:
    """End and letters of the code that begins here; none where it has not its country's length."""
    wanted = _LENGTHS.get(text[start : start + 2].upper(), 0)
    code: list[str] = []
    place = start
    while place < len(text) and len(code) < wanted:
        one = text[place]
        if one.isascii() and one.isalnum():
            code.append(one.upper())
        elif one not in _IBAN_GAP or text[place - 1] in _IBAN_GAP:
            break
        place += 1
    goes_on = place < len(text) and text[place].isalnum()
    if not wanted or len(code) < wanted or goes_on:
        return 0, ""
    return place, "".join(code)


def pans(text: str) -> Iterator[Finding]:
    """Indian permanent account numbers of the income tax."""
    for found in _PAN.finditer(text):
        code = found.group().replace(" ", "")
        sure = code.isupper()
        before = text[max(0, found.start() - 30) : found.start()].lower()
        if sure or "pan" in before.split():
            yield Finding(PiiKind.PAN, *found.span(), 0.9 if sure else 0.75, code.upper())


def internet_addresses(text: str) -> Iterator[Finding]:
    """IPv4 and IPv6 addresses, but not versions of a program."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            address = _address(found.group())
            if not address or _VERSION.search(text, max(0, found.start() - 12), found.start()):
                continue
            yield Finding(PiiKind.IP_ADDRESS, *found.span(), 0.9, address)


def _address(written: str) -> str:
    if ":" in written and (len(written) < _SHORTEST_IPV6 or not any(map(str.isdigit, written))):
        return ""
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        return ""
