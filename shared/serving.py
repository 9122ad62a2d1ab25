"""Which Triton model serves a request.

A model is named by a reference: `model`, or `model/version`. In this order:

| the request | served by | said as |
|---|---|---|
| names a model | that one | `pinned` |
| comes with the gateway's choice | that one, if Triton serves it | `variant` |
| | the service's default, if not | `fallback` |
| neither | the service's default | `default` |
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from typing import NamedTuple

from prometheus_client import Counter

from shared.caller import Caller
from shared.logging import get_logger
from shared.metrics import Metrics
from shared.problem import Forbidden, SpeechgateError
from shared.telemetry.span import MODEL, VARIANT, note

MODEL_HEADER = "x-sg-model"
USED_HEADER = "x-sg-model-used"
DEFAULT_SERVICE = "default"
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}(?:/[0-9]{1,9})?", re.ASCII)
_LONGEST = 64  # A reference, in the tables of requests.
_READY_FOR_S = 2.0
_LOG_EVERY_S = 60.0
_logger = get_logger(__name__)


class ModelNotAllowed(Forbidden):
    """The sender's key is bound to other models."""

    default_code = "model_not_allowed"

    def __init__(self) -> None:
        super().__init__("This key may not use the model.")


class Served(NamedTuple):
    """What serves a request.

    Attributes:
        model: Reference.
        used: How it came to it: `pinned`, `variant`, `fallback` or `default`.
    """

    model: str
    used: str


def parse_reference(text: str | None) -> str | None:
    """A well-formed reference; None otherwise."""
    if text is None or len(text) > _LONGEST or not _REFERENCE.fullmatch(text):
        return None
    return text


def split_reference(reference: str) -> tuple[str, str]:
    """Name and version; the version is empty for the newest."""
    name, _, version = reference.partition("/")
    return name, version


class ModelSelector:
    """Chooses among a service's models.

    Args:
        models: Reference by serviceId; `default` is one of them.
        ready: Whether Triton serves a reference.
        unknown: The refusal of a serviceId that is none of `models`.
        metrics: Where fallbacks are counted.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        models: Mapping[str, str],
        ready: Callable[[str], Awaitable[bool]],
        unknown: Callable[[Mapping[str, str]], SpeechgateError],
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._ready = ready
        self._unknown = unknown
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}
        self._logged_at = float("-inf")
        self._fallbacks = Counter(
            "speechgate_model_fallbacks",
            "Requests that the default model served because the chosen one was not ready",
            registry=metrics.registry,
        )

    def sibling(self, models: Mapping[str, str]) -> "ModelSelector":
        """A selector for another task of the same process, with one count of fallbacks.

        Args:
            models: Reference by serviceId, of the other task.
        """
        other = copy(self)
        other._models = models  # noqa: SLF001 - a new object of this very class
        return other

    async def select(self, service_id: str | None, caller: Caller) -> Served:
        """What serves a request.

        Args:
            service_id: What the request names; `default` is nothing.
            caller: With the gateway's choice, and the models that the sender may use.

        Raises:
            SpeechgateError: The named model does not exist here.
            ModelNotAllowed: The sender may not use it.
        """
        served = await self._select(service_id, caller)
        note(MODEL, served.model)
        note(VARIANT, served.used)
        return served

    async def _select(self, service_id: str | None, caller: Caller) -> Served:
        if service_id is not None and service_id != DEFAULT_SERVICE:
            model = self._models.get(service_id)
            if model is None and caller.models is not None and service_id in caller.models:
                model = service_id
            if model is None:
                raise self._unknown(self._models)
            return Served(_allowed(model, caller), "pinned")
        preferred = caller.preferred_model
        if preferred is not None and _may(preferred, caller):
            if await self._is_ready(preferred):
                return Served(preferred, "variant")
            self._note_fallback(preferred)
            return Served(_allowed(self._default(), caller), "fallback")
        return Served(_allowed(self._default(), caller), "default")

    def _default(self) -> str:
        model = self._models.get(DEFAULT_SERVICE)
        if model is None:
            raise self._unknown(self._models)
        return model

    async def _is_ready(self, model: str) -> bool:
        now = self._clock()
        asked_at, ready = self._known.get(model, (float("-inf"), False))
        if now - asked_at > _READY_FOR_S:
            try:
                ready = await self._ready(model)
            except SpeechgateError:
                # Triton does not answer: the inference says so, in its own words.
                return True
            self._known[model] = (now, ready)
        return ready

    def _note_fallback(self, model: str) -> None:
        self._fallbacks.inc()
        now = self._clock()
        if now - self._logged_at > _LOG_EVERY_S:
            self._logged_at = now
            _logger.warning("the chosen model is not served; the default answers", model=model)


def _may(model: str, caller: Caller) -> bool:
    return caller.models is None or split_reference(model)[0] in caller.models


def _allowed(model: str, caller: Caller) -> str:
    if not _may(model, caller):
        raise ModelNotAllowed
    return model
