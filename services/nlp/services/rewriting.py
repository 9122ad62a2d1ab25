"""Numbers as they are written, and punctuation: by rules, or by the model that is configured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.nlp.inference.rewriting import MAX_BATCH, RewritingModel
from services.nlp.models.analysis import Analysis, Rewritten, Task
from services.nlp.models.annotation import TextOrder
from services.nlp.services.course import Course, Undertaking, served_language
from services.nlp.services.limits import NlpLimits
from shared.caller import Caller
from shared.concurrency import map_bounded
from shared.text import itn, punctuation
from shared.text.clean import clean_text
from shared.text.languages import primary_language
from shared.text.problems import UnsupportedLanguage

RULES = "rules"
"""Stands for a model in the stored request."""


@dataclass(frozen=True, slots=True)
class _Rules:
    languages: frozenset[str]
    rewrite: Callable[[str], str]


_RULES = {
    Task.ITN: _Rules(itn.LANGUAGES, itn.normalize_text),
    Task.PUNCTUATION: _Rules(punctuation.LANGUAGES, punctuation.punctuate_text),
}


class RewritingService:
    """Writes texts anew and keeps them.

    Args:
        model: Client of the models.
        course: Of all requests.
        models: Triton model by task; rules do the others.
        limits: On one request.
    """

    def __init__(
        self, model: RewritingModel, course: Course, models: Mapping[Task, str], limits: NlpLimits
    ) -> None:
        self._model = model
        self._course = course
        self._models = models
        self._limits = limits

    async def rewrite(self, caller: Caller, task: Task, order: TextOrder) -> Analysis[Rewritten]:
        """Each text as the task writes it, line by line.

        Raises:
            SpeechgateError: See `shared.text.problems`; the inference server's own errors.
        """
        model = self._models.get(task)
        if model is not None:
            language = primary_language(order.language)
            work = partial(self._by_model, task, model, language)
        else:
            rules = _RULES[task]
            language = served_language(order.language, rules.languages)
            work = partial(self._by_rules, rules)
        return await self._course.run(
            caller, Undertaking(task, model or RULES, language, order.texts), work
        )

    async def _by_rules(self, rules: _Rules, texts: Sequence[str]) -> list[Rewritten]:
        return await self._course.think(partial(_rewritten, rules), texts)

    async def _by_model(
        self, task: Task, model: str, language: str, texts: Sequence[str]
    ) -> list[Rewritten]:
        served = await self._model.languages(model)
        if served and language not in served:
            raise UnsupportedLanguage(served, "/config/language/sourceLanguage")
        cleaned = [clean_text(text) for text in texts]
        batches = [
            cleaned[start : start + MAX_BATCH] for start in range(0, len(cleaned), MAX_BATCH)
        ]

        async def one(batch: Sequence[str]) -> list[str]:
            self._course.metrics.batch(task, len(batch))
            return await self._model.rewrite(model, batch, language)

        written = await map_bounded(one, batches, self._limits.parallel_batches)
        return [Rewritten(text) for batch in written for text in batch]


def _rewritten(rules: _Rules, text: str) -> Rewritten:
    lines = clean_text(text).split("\n")
    return Rewritten("\n".join(rules.rewrite(line) for line in lines))
