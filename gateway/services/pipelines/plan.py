"""What a pipeline is asked to do, checked as a whole before any of it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from shared.problem import BadRequest, InvalidField
from shared.text.languages import primary_language

MAX_ITEMS = 100
Document = dict[str, Any]


class Task(StrEnum):
    """A step's kind."""

    ASR = "asr"
    TRANSLATION = "translation"
    TRANSLITERATION = "transliteration"
    TTS = "tts"


FOLLOWERS: Mapping[Task, frozenset[Task]] = {
    Task.ASR: frozenset({Task.TRANSLATION}),
    Task.TRANSLATION: frozenset({Task.TTS}),
    Task.TRANSLITERATION: frozenset({Task.TRANSLATION, Task.TTS}),
    Task.TTS: frozenset(),
}
"""What may come after what."""
_TRANSLATING = frozenset({Task.TRANSLATION, Task.TRANSLITERATION})
_TASKS = ", ".join(Task)
_PLAIN = (None, "transcript")


class IllegalPipeline(BadRequest):
    """These tasks cannot follow each other."""

    default_code = "illegal_pipeline"


class LanguagesDiffer(BadRequest):
    """A step makes another language than the next one takes."""

    default_code = "languages_differ"


@dataclass(frozen=True, slots=True)
class Step:
    """One task.

    Attributes:
        index: From 0.
        config: As its service takes it.
        source: Language that it takes.
    """

    index: int
    task: Task
    config: Document
    source: str

    @property
    def makes(self) -> str:
        """The language of its texts."""
        if self.task in _TRANSLATING:
            target: str = self.config["language"]["targetLanguage"]
            return target
        return self.source


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline that may be run.

    Attributes:
        items: What the first step takes: recordings or texts, as its service takes them.
        control: `controlConfig` of every step.
    """

    steps: tuple[Step, ...]
    items: Sequence[Document]
    control: Document

    @property
    def name(self) -> str:
        """Its tasks: a label of metrics, of which there are few."""
        return ">".join(step.task for step in self.steps)


def make_plan(
    tasks: Sequence[tuple[str, Document | None]],
    texts: Sequence[Document] | None,
    audio: Sequence[Document] | None,
    control: Document | None = None,
) -> Plan:
    """Check a pipeline.

    Args:
        tasks: Kind and configuration of each.
        texts: For a first task that takes texts.
        audio: For one that takes recordings.
        control: For all.

    Raises:
        IllegalPipeline: A kind that there is not, or tasks that cannot follow each other.
        LanguagesDiffer: They do not fit together.
        InvalidField: A member is missing or wrong.
    """
    kinds = [_kind(index, kind) for index, (kind, _) in enumerate(tasks)]
    for index, (before, after) in enumerate(pairwise(kinds)):
        if after not in FOLLOWERS[before]:
            raise _illegal(f"{after} cannot follow {before}.", index + 1)
    steps: list[Step] = []
    for index, (task, (_, config)) in enumerate(zip(kinds, tasks, strict=True)):
        steps.append(_step(index, task, config or {}, steps[-1] if steps else None))
    if len(steps) > 1 and kinds[0] is Task.ASR:
        _refuse_subtitles(steps[0])
    member, items = ("audio", audio) if kinds[0] is Task.ASR else ("input", texts)
    if not items or len(items) > MAX_ITEMS:
        raise InvalidField(f"1 to {MAX_ITEMS} items are needed.", pointer=f"/inputData/{member}")
    return Plan(tuple(steps), items, control or {})


def _kind(index: int, kind: str) -> Task:
    try:
        return Task(kind)
    except ValueError:
        raise _illegal(f"The tasks of a pipeline are {_TASKS}.", index) from None


def _step(index: int, task: Task, config: Document, before: Step | None) -> Step:
    where = f"/pipelineTasks/{index}/config/language"
    language = config.get("language", {})
    if not isinstance(language, dict):
        raise InvalidField("An object is needed.", pointer=where)
    source = language.get("sourceLanguage")
    if source is None and before is not None:
        source = before.makes
        language = {**language, "sourceLanguage": source}
        config = {**config, "language": language}
    if task in _TRANSLATING:
        _text(language.get("targetLanguage"), f"{where}/targetLanguage")
    step = Step(index, task, config, _text(source, f"{where}/sourceLanguage"))
    if before is not None and primary_language(before.makes) != primary_language(step.source):
        detail = f"{task} takes another language than {before.task} makes."
        error = LanguagesDiffer(detail)
        error.members["errors"] = [{"pointer": f"{where}/sourceLanguage", "detail": detail}]
        raise error
    return step


def _text(value: object, pointer: str) -> str:
    if not isinstance(value, str) or not 1 < len(value) < 36:  # noqa: PLR2004 - of language tags
        raise InvalidField("A language tag is needed.", pointer=pointer)
    return value


def _refuse_subtitles(step: Step) -> None:
    """The next step takes plain text."""
    wanted = step.config.get("transcriptionFormat")
    if isinstance(wanted, dict):
        wanted = wanted.get("value")
    if wanted not in _PLAIN:
        raise _illegal("Only a plain transcript can be passed on.", step.index)


def _illegal(detail: str, index: int) -> IllegalPipeline:
    error = IllegalPipeline(detail)
    error.members["errors"] = [{"pointer": f"/pipelineTasks/{index}", "detail": detail}]
    return error
