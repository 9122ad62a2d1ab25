"""From one step to the next: bodies of requests to services, and what their answers hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.models.routes import Route
from gateway.routes import public_route
from gateway.services.pipelines.plan import Document, Step, Task
from gateway.upstream.step_answer import broken

_PATHS: Mapping[Task, str] = {
    Task.ASR: "/api/v1/asr/inference",
    Task.TRANSLATION: "/api/v1/nmt/inference",
    Task.TRANSLITERATION: "/api/v1/nlp/transliteration/inference",
    Task.TTS: "/api/v1/tts/inference",
}


@cache
def find_route(task: Task) -> Route:
    """Where a task is done."""
    return public_route("POST", _PATHS[task])


def member_of(task: Task) -> str:
    """The member of an answer that holds one entry for each item."""
    return "audio" if task is Task.TTS else "output"


def body_of(step: Step, items: Sequence[Document], control: Document) -> Document:
    """What a step's service is asked."""
    member = "audio" if step.task is Task.ASR else "input"
    body = {member: items, "config": step.config}
    return {**body, "controlConfig": control} if control else body


@dataclass(frozen=True, slots=True)
class Feed:
    """The texts that a step gets from the one before it.

    A recording in which nobody speaks has no text. It keeps its place without costing the next
    steps anything: they refuse empty texts.

    Attributes:
        texts: One for each item of the pipeline.
        spoken: Places of those that are not blank.
    """

    texts: tuple[str, ...]
    spoken: tuple[int, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Feed":
        """The texts of a step's answer."""
        spoken = tuple(place for place, text in enumerate(texts) if text.strip())
        return cls(tuple(texts), spoken)

    def items(self) -> list[Document]:
        """What the step is asked."""
        return [{"source": self.texts[place]} for place in self.spoken]

    def complete(self, task: Task, entries: Sequence[Document]) -> list[Document]:
        """The answer's entries, and empty ones for blank texts.

        Raises:
            UpstreamUnavailable: They are not as many as were asked for.
        """
        if len(entries) != len(self.spoken):
            raise broken()
        found = dict(zip(self.spoken, entries, strict=True))
        return [found.get(place) or _empty(task, text) for place, text in enumerate(self.texts)]


def _empty(task: Task, text: str) -> Document:
    match task:
        case Task.TTS:
            return {"audioContent": "", "audioUri": None, "duration": 0.0}
        case Task.TRANSLITERATION:
            return {"source": text, "target": []}
        case _:
            return {"source": text, "target": ""}


def entries_of(task: Task, answer: Any) -> list[Document]:
    """The entries of an answer, one for each item.

    Raises:
        UpstreamUnavailable: It is not what the service says (code `upstream_broken`).
    """
    entries = answer.get(member_of(task)) if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise broken()
    return entries


def texts_of(task: Task, entries: Sequence[Document]) -> list[str]:
    """What a step gives the next one.

    Raises:
        UpstreamUnavailable: See `entries_of`.
    """
    member = "source" if task is Task.ASR else "target"
    texts = []
    for entry in entries:
        text = entry.get(member)
        if isinstance(text, list):  # Suggestions, best first.
            text = text[0] if text else ""
        if not isinstance(text, str):
            raise broken()
        texts.append(text)
    return texts


def repoint(pointer: str, step: Step) -> str:
    """A place in a step's body, as a place in the pipeline's.

    Args:
        pointer: As the service says it (RFC 6901).
        step: Whose body it is.
    """
    where = f"/pipelineTasks/{step.index}"
    if pointer.startswith("/config"):
        return where + pointer
    if step.index == 0 and pointer.startswith(("/audio", "/input")):
        return "/inputData" + pointer
    return where
