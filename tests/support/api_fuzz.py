"""Requests by the API's own document, answers held against it: schemathesis.

What is asked of every answer: it is no 5xx, its status is documented, so is its media type, and its
body fits the schema of both.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.support.api_world import World

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
_HIDDEN = frozenset({401, 403, 429})
_SUCCESS = range(200, 300)
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_TIMEOUT_S = 60
_SHOWN = 700


@dataclass(slots=True)
class Seen:
    """What an operation did.

    Attributes:
        statuses: How often each was answered.
        findings: What is wrong, each kind once, with a request that shows it.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Whether more than the guard has looked at the requests."""
        return bool(self.statuses.keys() - _HIDDEN)

    @property
    def served(self) -> bool:
        """Whether one of them was done."""
        return any(status in _SUCCESS for status in self.statuses)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried.

    Attributes:
        examples: Random requests of each operation.
        boundaries: Also every bound of every member, one by one, and other methods.
        seed: Of what is random; the same in each run without one.
    """

    examples: int
    boundaries: bool = False
    seed: int | None = None


def operations_of(document: dict[str, Any]) -> set[str]:
    """The operations of a document, as `METHOD /path`."""
    return {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in _METHODS
    }


def fuzz(
    document: dict[str, Any],
    url: str,
    world: World,
    effort: Effort,
    told: Callable[[str, Seen], None] = lambda _label, _seen: None,
) -> dict[str, Seen]:
    """Ask every operation; what each did.

    Args:
        document: OpenAPI.
        url: Of the gateway.
        world: Whom and what the requests meet.
        effort: How much is tried.
        told: Gets an operation when a part of its requests is through.

    Raises:
        Exception: The fuzzer itself failed.
    """
    schema = schemathesis.openapi.from_dict(document, config=_configuration(url, effort))
    found = {label: Seen() for label in operations_of(document)}
    with _meeting(world):
        for event in from_schema(schema).execute():
            if isinstance(event, events.FatalError):
                raise event.exception
            if isinstance(event, events.NonFatalError):
                seen = found.setdefault(event.label, Seen())
                seen.findings.setdefault(type(event.value).__name__, _told(event.value))
            elif isinstance(event, events.ScenarioFinished):
                seen = found.setdefault(event.recorder.label, Seen())
                _take(event, seen)
                told(event.recorder.label, seen)
    return found


def _take(event: events.ScenarioFinished, seen: Seen) -> None:
    recorder = event.recorder
    for exchange in recorder.interactions.values():
        if exchange.response is not None:
            seen.statuses[exchange.response.status_code] += 1
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            shown = f"{failure.message}\n{check.failure_info.code_sample}"
            seen.findings.setdefault(f"{check.name}: {failure.title}", shown[:_SHOWN])


def _told(error: BaseException) -> str:
    """An error and what it holds."""
    inner = getattr(error, "exceptions", ())
    return "\n".join([f"{type(error).__name__}: {error}"[:_SHOWN], *map(_told, inner)])


@contextmanager
def _meeting(world: World) -> Iterator[None]:
    """While the fuzzer's requests are those of the world."""

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        world.prepare(case)

    def after_call(_context: Any, case: Any, response: Any) -> None:
        world.learn(case, response.status_code, response.content)

    for name, hook in (("before_call", before_call), ("after_call", after_call)):
        schemathesis.hook(name)(hook)
    try:
        yield
    finally:
        hooks.unregister_all()


def _configuration(url: str, effort: Effort) -> SchemathesisConfig:
    # The world has ids of its own: what the library would pick up in answers ends other keys.
    alone = {"extra-data-sources": {"responses": False}}
    return SchemathesisConfig.from_dict(
        {
            "seed": effort.seed or 0,
            "suppress-health-check": ["all"],
            "cache": {"enabled": False},
            "base-url": url,
            "workers": 1,  # Hypothesis sets a limit of the whole process: threads take it away.
            "continue-on-failure": True,
            "request-timeout": _TIMEOUT_S,
            "generation": {
                "max-examples": effort.examples,
                "deterministic": effort.seed is None,
                "no-shrink": True,
                "database": "none",
                "with-security-parameters": False,
            },
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "phases": {
                "examples": {"enabled": effort.boundaries, **alone},
                "coverage": {"enabled": effort.boundaries, **alone},
                "fuzzing": {"enabled": True, **alone},
                "stateful": {"enabled": False},
            },
        }
    )
