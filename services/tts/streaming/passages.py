"""Cuts text that comes in pieces into what can be spoken already."""

from shared.text.sentences import cut_long, split_sentences

_MOST = 400
"""Text without an end is spoken in parts of this length."""
_STOPS = ".!?…।॥؟۔。！？"  # noqa: RUF001 - of other scripts
_CLOSERS = "\"'”’»)]}」』"


class Passages:
    """Holds text back until a sentence is whole: how it sounds depends on its end.

    The last sentence is never known to be whole: `3.` may become `3.5`.
    """

    def __init__(self) -> None:
        self._held = ""

    def __len__(self) -> int:
        """Characters that are held back."""
        return len(self._held)

    @property
    def looks_whole(self) -> bool:
        """Whether what is held back ends like a sentence."""
        text = self._held.rstrip().rstrip(_CLOSERS)
        return bool(text) and text[-1] in _STOPS

    def add(self, text: str) -> str:
        """More text; the sentences that are whole now, `""` for none."""
        held = self._held + text
        parts = split_sentences(held)
        # Gap, sentence, gap, sentence, gap: the last sentence, and what follows it, stays.
        whole, rest = "".join(parts[:-2]), "".join(parts[-2:])
        if len(rest) > _MOST:
            *cut, tail = cut_long(rest, _MOST)
            whole, rest = whole + "".join(f"{part} " for part in cut), tail
        self._held = rest
        return whole

    def rest(self) -> str:
        """What is held back, whether it is whole or not."""
        rest, self._held = self._held, ""
        return rest
