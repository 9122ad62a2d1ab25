"""Check digits of cards, bank accounts and national ids."""

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_BASE = 36
_IBAN_REMAINDER = 1
# J. Verhoeff, Error Detecting Decimal Codes, 1969: the dihedral group D5 and its permutation.
_D5 = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        total += _LUHN_DOUBLED[value] if index % 2 else value
    return total % 10 == 0


def verhoeff(digits: str) -> bool:
    """Whether the last digit checks the others, as in Aadhaar numbers."""
    check = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        for _ in range(index % 8):
            value = _PERMUTED[value]
        check = _D5[check][value]
    return check == 0


def iban(code: str) -> bool:
    """Whether the check digits of an IBAN fit (ISO 7064, MOD 97-10)."""
    turned = code[4:] + code[:4]
    number = "".join(str(int(one, _BASE)) for one in turned)
    return int(number) % 97 == _IBAN_REMAINDER
