"""The texts of a request taken apart one after another."""

from collections.abc import Sequence

from services.nlp.models.translation import TranslationOrder
from services.nlp.services.documents.terms import Terms
from services.nlp.services.layout import Layout, take_apart


class Preparation:
    """What has been taken apart of a request, and what it wants of the model.

    Attributes:
        layouts: Of the texts so far, in their order.

    Args:
        order: The request.
        glossaries: Words with a given translation; the first one goes before the others.
    """

    def __init__(self, order: TranslationOrder, glossaries: Sequence[Terms]) -> None:
        self.layouts: list[Layout] = []
        self._order = order
        self._glossaries = glossaries
        self._known: set[str] = set()

    @property
    def done(self) -> bool:
        """Whether every text is taken apart."""
        return len(self.layouts) == len(self._order.texts)

    @property
    def distinct(self) -> int:
        """Number of sentences wanted so far, each counted once."""
        return len(self._known)

    def more(self, enough: int | None = None) -> list[str]:
        """Take further texts apart.

        Args:
            enough: Stop after the text with which so many sentences are reached; None: after all.

        Returns:
            The sentences that are wanted now and were not before, each once.
        """
        fresh: list[str] = []
        for text in self._order.texts[len(self.layouts) :]:
            layout = take_apart(
                text, text_format=self._order.text_format, glossaries=self._glossaries
            )
            self.layouts.append(layout)
            for sentence in layout.sentences():
                if sentence not in self._known:
                    self._known.add(sentence)
                    fresh.append(sentence)
            if enough is not None and len(fresh) >= enough:
                break
        return fresh
