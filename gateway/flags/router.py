"""Which model serves a request: one decision per sender and session, remembered."""

import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from prometheus_client import Counter

from gateway.flags.client import FlagClient
from gateway.flags.protocol import EvaluationSink
from gateway.models.flags import (
    DEFAULT_CHOICE,
    FlagContext,
    FlagEvaluation,
    FlagKind,
    ModelChoice,
)
from gateway.models.principal import Principal
from shared.logging import get_logger
from shared.metrics import Metrics

MAX_REMEMBERED = 20_000
REMEMBER_S = 60.0
_SESSION_LENGTH = 128
# Both travel in a header.
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_Key = tuple[str, str, str | None]
_logger = get_logger(__name__)


class ModelRouter:
    """Turns a flag's variant into a model.

    A decision holds until the flags change, or for 60 s: strategies may depend on the time.

    Args:
        client: What evaluates the flags.
        sink: Keeps each decision that was computed; those that were remembered are not kept.
        metrics: Of the process.
    """

    def __init__(self, client: FlagClient, sink: EvaluationSink, metrics: Metrics) -> None:
        self._client = client
        self._sink = sink
        self._remembered: OrderedDict[_Key, tuple[float, ModelChoice]] = OrderedDict()
        self._warned: set[tuple[str, str | None]] = set()
        self._malformed = Counter(
            "speechgate_flag_malformed_choices",
            "Variants that name no model",
            ["flag"],
            registry=metrics.registry,
        )
        self._refused = Counter(
            "speechgate_flag_refused_choices",
            "Models that the sender may not use",
            ["flag"],
            registry=metrics.registry,
        )
        client.on_change(self._forget)

    def choose(self, flag: str | None, principal: Principal, session_id: str | None) -> ModelChoice:
        """The model of a request; from memory, never raises.

        Args:
            flag: Of the route; None leaves the service's default.
            principal: Who sent it.
            session_id: Of the client's session, if it names one.
        """
        if flag is None:
            return DEFAULT_CHOICE
        choice = self.remembered(flag, principal, session_id)
        if choice is None:
            key = (flag, principal.identity.subject, session_id or principal.session_id)
            choice = self._checked(flag, principal, self._decide(key, principal))
        return choice

    def remembered(
        self, flag: str, principal: Principal, session_id: str | None
    ) -> ModelChoice | None:
        """As `choose`, of what was decided before; None where it has to be decided now."""
        key = (flag, principal.identity.subject, session_id or principal.session_id)
        found = self._remembered.get(key)
        if found is None or found[0] <= time.monotonic():
            return None
        self._remembered.move_to_end(key)
        return self._checked(flag, principal, found[1])

    def _checked(self, flag: str, principal: Principal, choice: ModelChoice) -> ModelChoice:
        """The choice, or the default where the sender may not use it."""
        models = principal.models
        if models is not None and choice.model is not None and not _allowed(choice, models):
            self._refused.labels(flag).inc()
            return DEFAULT_CHOICE
        return choice

    def _forget(self) -> None:
        self._remembered.clear()
        self._warned.clear()

    def _decide(self, key: _Key, principal: Principal) -> ModelChoice:
        flag, subject, session = key
        if session is not None and len(session) > _SESSION_LENGTH:
            return self._evaluate(flag, subject, session[:_SESSION_LENGTH], principal)
        choice = self._evaluate(flag, subject, session, principal)
        self._remembered[key] = (time.monotonic() + REMEMBER_S, choice)
        self._remembered.move_to_end(key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return choice

    def _evaluate(
        self, flag: str, subject: str, session: str | None, principal: Principal
    ) -> ModelChoice:
        attributes: dict[str, Any] = {"organization": principal.identity.tenant_id}
        if session:
            attributes["sessionId"] = session
        context = FlagContext(subject, attributes)
        if self._client.source.source == "none" and not self._client.source.document.flags:
            return DEFAULT_CHOICE  # No flags are configured: nothing was decided.
        evaluation = self._client.evaluate(flag, context, {}, FlagKind.OBJECT)
        self._sink.record(evaluation, context, principal.identity, "route")
        choice = to_choice(evaluation)
        if choice is None:
            self._warn(evaluation)
            return DEFAULT_CHOICE
        return choice

    def _warn(self, evaluation: FlagEvaluation) -> None:
        """Once for each variant until the flags change."""
        self._malformed.labels(evaluation.flag_name).inc()
        told = (evaluation.flag_name, evaluation.variant)
        if told not in self._warned:
            self._warned.add(told)
            _logger.warning(
                "a flag's variant names no model",
                flag=evaluation.flag_name,
                variant=evaluation.variant,
                error=evaluation.error_code,
            )


def to_choice(evaluation: FlagEvaluation) -> ModelChoice | None:
    """The choice that a model flag makes; None when its variant is malformed.

    A variant without payload leaves the service's default, under the variant's name.
    """
    if evaluation.error_code == "FLAG_NOT_FOUND":
        return DEFAULT_CHOICE
    if evaluation.error_code is not None:
        return None
    if evaluation.variant is None:
        return DEFAULT_CHOICE
    return _named(evaluation.variant, evaluation.value)


def _named(variant: str, payload: object) -> ModelChoice | None:
    if not isinstance(payload, Mapping) or _word(variant) is None:
        return None
    if not payload:
        return ModelChoice(variant)
    model, version = _word(payload.get("model")), payload.get("version")
    if isinstance(version, int) and not isinstance(version, bool):
        version = str(version)
    if model is None or (version is not None and _word(version) is None):
        return None
    return ModelChoice(variant, model, _word(version))


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


def _allowed(choice: ModelChoice, models: frozenset[str]) -> bool:
    return choice.model in models or choice.reference in models
