"""Runs pipelines: the steps in order, each over the service that does it."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from prometheus_client import Counter

from gateway.models.routes import Route
from gateway.services.composing import Run
from gateway.services.pipelines.cuts import Cuts
from gateway.services.pipelines.links import (
    Feed,
    body_of,
    entries_of,
    find_route,
    member_of,
    repoint,
    texts_of,
)
from gateway.services.pipelines.plan import Document, Plan, Step, Task
from gateway.upstream.step_answer import StepAnswer, broken
from shared.metrics import Metrics
from shared.problem import SpeechgateError

_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done.

    Attributes:
        document: The service's answer; long strings are marks of `Cuts`.
        answer: Of the service; None where there was nothing to ask it for.
    """

    step: Step
    document: Document
    answer: StepAnswer | None

    @property
    def variant(self) -> str:
        """Of the model that did it."""
        return self.answer.variant if self.answer is not None else "none"

    @property
    def model(self) -> str | None:
        """That the flag chose, or the request names; None: the service's default."""
        if self.answer is None or self.answer.model is not None:
            return self.answer.model if self.answer is not None else None
        named = self.step.config.get("serviceId")
        if self.answer.variant != "pinned" or not isinstance(named, str):
            return None
        return named if len(named) <= _MAX_NAME else None


@dataclass(frozen=True, slots=True)
class Failure:
    """The step at which a pipeline ended."""

    step: Step
    error: SpeechgateError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a pipeline.

    Attributes:
        done: Steps, in order; at least one.
        failure: None when all of them are there.
    """

    done: Sequence[Done]
    failure: Failure | None = None

    @property
    def variants(self) -> str:
        """The model variant of each step, as a header's value."""
        return ", ".join(f"{one.step.task}={one.variant}" for one in self.done)


class PipelineService:
    """Runs pipelines.

    Args:
        metrics: Where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._ended = Counter(
            "speechgate_pipelines",
            "Pipelines, by their tasks and the one that failed",
            ["tasks", "failed"],
            registry=metrics.registry,
        )

    @staticmethod
    def routes(plan: Plan) -> list[Route]:
        """Where its steps are done: their scopes, costs and switches are the pipeline's."""
        return [find_route(step.task) for step in plan.steps]

    async def run(self, plan: Plan, run: Run, cuts: Cuts) -> Outcome:
        """Do the steps.

        Args:
            plan: What to do.
            run: Admitted.
            cuts: The long strings of the plan; those of answers are added.

        Raises:
            SpeechgateError: The first step failed: there is nothing to give.
        """
        done: list[Done] = []
        feed: Feed | None = None
        for step in plan.steps:
            try:
                found = await self._do(plan, step, feed, run, cuts)
                if step is not plan.steps[-1]:
                    entries = found.document[member_of(step.task)]
                    feed = Feed.of(texts_of(step.task, entries))
            except SpeechgateError as error:
                self._ended.labels(plan.name, step.task).inc()
                failure = Failure(step, _told(error, step))
                if not done:
                    raise  # The very error: it was written into.
                return Outcome(done, failure)
            done.append(found)
        self._ended.labels(plan.name, "none").inc()
        return Outcome(done)

    async def _do(self, plan: Plan, step: Step, feed: Feed | None, run: Run, cuts: Cuts) -> Done:
        task = step.task
        if feed is not None and not feed.spoken:
            return Done(step, _silent(step, feed), None)
        items = plan.items if feed is None else feed.items()
        body = cuts.fill(body_of(step, items, plan.control))
        answer = (await run.call(find_route(task), body)).checked()
        try:
            document = (
                cuts.parse_answer(answer.body) if task is Task.TTS else orjson.loads(answer.body)
            )
        except orjson.JSONDecodeError as error:
            raise broken() from error
        entries = entries_of(task, document)
        if feed is not None:
            document[member_of(task)] = feed.complete(task, entries)
        elif len(entries) != len(plan.items):
            raise broken()
        # The body is the larger part of an answer, and is not needed any more.
        return Done(step, document, answer._replace(body=b""))


def _silent(step: Step, feed: Feed) -> Document:
    """The answer to a step that has nothing to do."""
    config = {"language": {"sourceLanguage": step.source}}
    if step.task is not Task.TTS:
        config["language"]["targetLanguage"] = step.makes
    entries = feed.complete(step.task, [])
    return {"taskType": step.task, member_of(step.task): entries, "config": config}


def _told(error: SpeechgateError, step: Step) -> SpeechgateError:
    """A step's error as the pipeline's: it names the step, and places in the pipeline's body."""
    places = error.members.get("errors")
    if places is not None:
        error.members["errors"] = [
            {
                "pointer": repoint(str(place.get("pointer", "")), step),
                "detail": str(place.get("detail", "")),
            }
            for place in places
        ]
    error.members["step"] = {"index": step.index, "task": step.task}
    return error
