"""Sets of words and phrases, written as one text."""


def word_set(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


def phrase_set(phrases: str) -> frozenset[str]:
    """The phrases of a text, which commas part."""
    return frozenset(one.strip() for one in phrases.split(","))
