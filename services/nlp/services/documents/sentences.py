"""A flat text as sentences for the model, among what stays."""

from collections.abc import Sequence

from services.nlp.services.documents.flat import Flat, Tag, fold
from services.nlp.services.documents.masking import Sentence
from services.nlp.services.documents.placeholders import find_placeholders
from services.nlp.services.documents.terms import Terms
from services.nlp.services.documents.wording import BLANKS
from shared.text.sentences import cut_long, split_sentences

Part = str | Sentence


def sentence_parts(
    flat: Flat, *, longest: int, glossaries: Sequence[Terms], whole: bool
) -> list[Part]:
    """The text taken apart; tags at the ends of a sentence stand outside of it.

    What has no letter (numbers, rules, bullets) stays.

    Args:
        flat: A block.
        longest: Longer sentences are cut, in characters.
        glossaries: Words with a given translation; the first one goes before the others.
        whole: Whether held things go to the model, as marks; otherwise what is between them does.
    """
    flat = fold(flat, find_placeholders(flat.text))
    for terms in glossaries:
        flat = fold(flat, terms.find(flat))
    tags = list(reversed(flat.tags))
    parts: list[Part] = []
    done = 0

    def keep_until(end: int) -> None:
        """Everything before a place, and the tags that stand there."""
        nonlocal done
        among: list[Tag] = []
        while tags and tags[-1].place <= end:
            among.append(tags.pop())
        shown = flat.shown(done, end, among)
        if shown:
            parts.append(shown)
        done = end

    place = 0
    for index, part in enumerate(split_sentences(flat.text)):
        begin, place = place, place + len(part)
        if index % 2 == 0:
            continue
        at = begin
        for cut in cut_long(part, longest):
            piece = cut.strip(BLANKS)
            if not _has_letter(piece):
                continue
            at = flat.text.index(piece, at)
            end = at + len(piece)
            keep_until(at)
            inner: list[Tag] = []
            while tags and tags[-1].place < end:
                inner.append(tags.pop())
            parts.append(Sentence(flat, at, end, inner, whole=whole))
            done = at = end
    keep_until(len(flat.text))
    return parts


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))
