"""Texts that a rule with a nested loop would take very long for."""

PARTS = {
    "letters": "a",
    "digits": "1",
    "spaced digits": "1 ",
    "ten digits": "4155552671 ",
    "cards": "4111 1111 1111 1111 ",
    "spoken digits": "one ",
    "spoken numbers": "one twenty ",
    "at signs": "a@",
    "spoken at": "a at b dot ",
    "spelled": "a ",
    "dots": "a.",
    "colons": "a:",
    "dashes": "1-",
    "commas": "1,",
    "plus": "+1",
    "brackets": "(1) ",
    "capitals": "Ab ",
    "names": "my name is John Smith ",
    "of": "Bank of ",
    "titles": "Mr. ",
    "slashes": "http://",
    "credentials": "://a:",
    "iban": "DE89 ",
    "letters and digits": "aB3",
    "private keys": "-----BEGIN PRIVATE KEY-----",
    "passwords": "password is ",
    "accounts": "account number 12345 ",
    "streets": "12 Main ",
    "births": "born 12 May 1984 ",
    "blanks": " \n",
    "unseen": "1\u200b",
    "marks": "e\u0301",
}


def hard_text(kind: str, length: int) -> str:
    """A text of one kind."""
    part = PARTS[kind]
    return (part * (length // len(part) + 1))[:length]


def mixed_text(length: int) -> str:
    """All kinds, one after another."""
    share = length // len(PARTS)
    return "".join(hard_text(kind, share) for kind in PARTS)
