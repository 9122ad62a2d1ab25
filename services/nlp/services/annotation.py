"""Entities, personal data, key phrases and summaries: rules in worker threads."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from services.nlp.models.analysis import Analysis, AnalyzedItem, Task
from services.nlp.models.annotation import (
    ChosenSentence,
    Keyword,
    KeywordOrder,
    PiiOrder,
    Recognized,
    SummaryOrder,
    TaggedToken,
    TextOrder,
)
from services.nlp.services import content_words
from services.nlp.services.course import Course, Undertaking, served_language
from services.nlp.services.keywords import keywords
from services.nlp.services.rewriting import RULES
from services.nlp.services.summary import summarize
from shared.caller import Caller
from shared.text.ner import find as ner
from shared.text.ner.tags import iob_tags
from shared.text.pii import find as pii
from shared.text.pii.model import Policy, Redacted
from shared.text.pii.redact import redact

_KEY_BYTES = 32


class AnnotationService:
    """Marks parts of texts and keeps what it found."""

    def __init__(self, course: Course) -> None:
        self._course = course

    async def entities(
        self, caller: Caller, order: TextOrder, *, tokens: bool = False
    ) -> Analysis[Recognized]:
        """The named entities of each text.

        Args:
            caller: Who asks.
            order: What for.
            tokens: Whether the tokens are wanted with their tags.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """
        language = served_language(order.language, ner.LANGUAGES)

        async def work(texts: Sequence[str]) -> list[Recognized]:
            found = await self._course.think(partial(_recognize, tokens=tokens), texts)
            self._count(Task.NER, (one.kind for each in found for one in each.entities))
            return found

        asked = Undertaking(Task.NER, RULES, language, order.texts)
        return await self._course.run(caller, asked, work, _keep_entities)

    async def redact(self, caller: Caller, order: PiiOrder) -> Analysis[Redacted]:
        """Each text without its personal data; only the redacted text is stored.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """
        language = served_language(order.language, pii.LANGUAGES)
        policy = Policy(order.default, order.actions, _key(caller, order.salt))

        async def work(texts: Sequence[str]) -> list[Redacted]:
            found = await self._course.think(
                partial(redact, policy=policy, least=order.least), texts
            )
            kinds = (one.finding.kind for each in found for one in each.replacements)
            self._count(Task.PII, kinds)
            return found

        asked = Undertaking(Task.PII, RULES, language, order.texts)
        return await self._course.run(caller, asked, work, _keep_redacted)

    async def keywords(self, caller: Caller, order: KeywordOrder) -> Analysis[list[Keyword]]:
        """The key phrases of each text, the best first.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """
        language = served_language(order.language, content_words.LANGUAGES)

        async def work(texts: Sequence[str]) -> list[list[Keyword]]:
            find = partial(keywords, language=language, count=order.count)
            return await self._course.think(find, texts)

        asked = Undertaking(Task.KEYWORDS, RULES, language, order.texts)
        return await self._course.run(caller, asked, work)

    async def summary(self, caller: Caller, order: SummaryOrder) -> Analysis[list[ChosenSentence]]:
        """The most telling sentences of each text, in its order.

        Raises:
            SpeechgateError: See `shared.text.problems`.
        """
        language = served_language(order.language, content_words.LANGUAGES)

        async def work(texts: Sequence[str]) -> list[list[ChosenSentence]]:
            choose = partial(summarize, language=language, length=order.length)
            return await self._course.think(choose, texts)

        asked = Undertaking(Task.SUMMARY, RULES, language, order.texts)
        return await self._course.run(caller, asked, work)

    def _count(self, task: Task, kinds: Iterable[str]) -> None:
        for kind, count in Counter(kinds).items():
            self._course.metrics.found(task, kind, count)


def _key(caller: Caller, salt: str | None) -> bytes:
    """Of the hashes: a salt makes them the same in all requests of its tenant, and of no other."""
    if salt is None:
        return os.urandom(_KEY_BYTES)
    return hashlib.sha256(f"{caller.tenant_id}\0{salt}".encode("utf-8", "surrogatepass")).digest()


def _recognize(text: str, *, tokens: bool) -> Recognized:
    found = ner.find_entities(text)
    if not tokens:
        return Recognized(tuple(found))
    tagged = (
        TaggedToken(text[start:end], tag, start, end) for start, end, tag in iob_tags(text, found)
    )
    return Recognized(tuple(found), tuple(tagged))


def _keep_entities(text: str, found: Recognized) -> AnalyzedItem:
    return AnalyzedItem(text, [asdict(entity) for entity in found.entities])


def _keep_redacted(_: str, found: Redacted) -> AnalyzedItem:
    """What of a redaction is stored: nothing that it hides."""
    finding: list[dict[str, Any]] = [
        {
            "kind": one.finding.kind.value,
            "start": one.finding.start,
            "end": one.finding.end,
            "confidence": one.finding.confidence,
            "action": one.action.value,
            "redactedStart": one.start,
            "redactedEnd": one.end,
        }
        for one in found.replacements
    ]
    return AnalyzedItem(found.text, finding)
