"""What the providers have in common: OpenFeature's answers from Unleash's evaluation engine."""

import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import (
    FlagNotFoundError,
    ParseError,
    ProviderNotReadyError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from gateway.flags.document import FlagDocument, MalformedFlags
from gateway.models.flags import Flag
from shared.logging import get_logger

if TYPE_CHECKING:
    from yggdrasil_engine.engine import UnleashEngine  # type: ignore[import-untyped] # has none

APPLICATION = "speechgate-gateway"
_TOP_LEVEL = ("sessionId", "remoteAddress")
_OBJECT, _NUMBER, _TEXTS = "json", "number", frozenset({"string", "csv"})
_logger = get_logger(__name__)


class Verdict(NamedTuple):
    """What the engine says of a flag and a context.

    Attributes:
        enabled: Whether a strategy matched.
        variant: The variant's name; None without one.
        payload: The variant's `type` and `value`; None without one.
    """

    enabled: bool
    variant: str | None = None
    payload: Mapping[str, str] | None = None


def load_engine(document: FlagDocument) -> "UnleashEngine":
    """An engine that knows the document.

    Raises:
        MalformedFlags: The engine refuses it.
    """
    # Not at the top: a gateway without flags needs no engine.
    from yggdrasil_engine.engine import UnleashEngine  # noqa: PLC0415

    engine = UnleashEngine()
    try:
        engine.take_state(document.text)
        # It refuses a whole document without a word when one flag is malformed.
        known = {toggle.name for toggle in engine.list_known_toggles()}
    except Exception as error:
        raise MalformedFlags("the engine refuses it") from error
    if known != document.flags.keys():
        raise MalformedFlags("the engine refuses it")
    return engine


def engine_context(context: EvaluationContext | None, environment: str) -> dict[str, Any]:
    """An OpenFeature context as Unleash knows it: the targeting key is `userId`."""
    attributes = context.attributes if context else {}
    found: dict[str, Any] = {
        "appName": APPLICATION,
        "environment": environment,
        "currentTime": datetime.now(UTC).isoformat(),
    }
    user = (context.targeting_key if context else None) or attributes.get("userId")
    if user:
        found["userId"] = str(user)
    properties: dict[str, str] = {}
    for name, value in attributes.items():
        if name == "userId" or value is None:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        (found if name in _TOP_LEVEL else properties)[name] = text
    found["properties"] = properties
    return found


class EngineProvider(AbstractProvider):
    """An OpenFeature provider over Unleash's engine, whatever brings the flags.

    A subclass brings them, calling `_learned` and `_lost`, and asks its engine in `_verdict`.

    Attributes:
        source: Name of the kind of source.
        document: The flags it knows.
        stale: The source did not answer last time, or never did.
        refreshed_at: Unix seconds of its last answer.
    """

    source = ""

    def __init__(self, environment: str) -> None:
        super().__init__()
        self.environment = environment
        self.document = FlagDocument()
        self.stale = True
        self.refreshed_at: float | None = None
        self._knows = False
        self._told = False

    @abstractmethod
    def _verdict(self, name: str, context: dict[str, Any], *, boolean: bool) -> Verdict:
        """Ask the engine; `boolean` needs no variant."""

    def get_metadata(self) -> Metadata:
        """Its name in events."""
        return Metadata(name=f"speechgate-{self.source}")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - the API's
        """Called by OpenFeature after `open`.

        Raises:
            ProviderNotReadyError: No flags are known yet; READY follows when they are.
        """
        if not self._knows:
            raise ProviderNotReadyError("no flags are known yet")

    def _remember(self, document: FlagDocument) -> None:
        """Use flags that were known earlier, until the source answers."""
        self.document = document
        self._knows = True

    def _learned(self, document: FlagDocument) -> None:
        """The source answered; called when the engine knows the document."""
        changed = [] if document is self.document else self.document.changed(document)
        recovered, self.stale = self.stale, False
        self.document, self.refreshed_at = document, time.time()
        self._knows, self._told = True, False
        if recovered:
            _logger.info("flags are fresh", source=self.source, flags=len(document.flags))
            self.emit_provider_ready(ProviderEventDetails())
        if changed:
            _logger.info("flags changed", source=self.source, flags=changed[:20])
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=changed))

    def _lost(self, why: str) -> None:
        """The source did not answer, or with nonsense; told once until it answers again."""
        self.stale = True
        if self._told:
            return
        self._told = True
        _logger.warning("flags are stale", source=self.source, why=why, known=self._knows)
        details = ProviderEventDetails(message=why)
        if self._knows:
            self.emit_provider_stale(details)
        else:
            self.emit_provider_error(details)

    def _ask(
        self, name: str, context: EvaluationContext | None, *, boolean: bool = False
    ) -> tuple[Flag, Verdict]:
        flag = self.document.flags.get(name)
        if flag is None:
            raise FlagNotFoundError(f"no flag {name}")
        if not flag.enabled:
            return flag, Verdict(enabled=False)
        verdict = self._verdict(name, engine_context(context, self.environment), boolean=boolean)
        return flag, verdict

    def _of_variant(
        self, name: str, default: Any, context: EvaluationContext | None, kinds: frozenset[str]
    ) -> tuple[str | None, FlagResolutionDetails[Any]]:
        """The text of a variant's payload, None without one, and the answer to be completed."""
        flag, verdict = self._ask(name, context)
        if not verdict.enabled or verdict.variant is None:
            return None, FlagResolutionDetails(default, reason=_reason(flag, verdict))
        payload = verdict.payload
        if payload and payload.get("type") not in kinds:
            raise TypeMismatchError(f"the variant's payload is {payload.get('type')}")
        details = FlagResolutionDetails(
            default, reason=_reason(flag, verdict), variant=verdict.variant
        )
        return payload.get("value", "") if payload else None, details

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: ARG002, FBT001 - the API's
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Whether the flag is on for the context."""
        flag, verdict = self._ask(flag_key, evaluation_context, boolean=True)
        return FlagResolutionDetails(verdict.enabled, reason=_reason(flag, verdict))

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """The payload of the variant; of one without payload, its name."""
        text, details = self._of_variant(flag_key, default_value, evaluation_context, _TEXTS)
        if details.variant is not None:
            details.value = details.variant if text is None else text
        return details

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """The payload of the variant; the default for one without payload."""
        details = self._number(flag_key, default_value, evaluation_context)
        if not float(details.value).is_integer():
            raise TypeMismatchError("the variant's payload is no integer")
        details.value = int(details.value)
        return details

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """The payload of the variant; the default for one without payload."""
        return self._number(flag_key, float(default_value), evaluation_context)

    def _number(
        self, name: str, default: float, context: EvaluationContext | None
    ) -> FlagResolutionDetails[Any]:
        text, details = self._of_variant(name, default, context, frozenset({_NUMBER}))
        if text is not None:
            details.value = float(_parsed(text, (int, float)))
        return details

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The payload of the variant; the default for one without payload."""
        kinds = frozenset({_OBJECT})
        text, details = self._of_variant(flag_key, default_value, evaluation_context, kinds)
        if text is not None:
            details.value = _parsed(text, (dict, list))
        return details


def _reason(flag: Flag, verdict: Verdict) -> Reason:
    if not flag.enabled:
        return Reason.DISABLED
    if not verdict.enabled:
        return Reason.DEFAULT
    return Reason.SPLIT if flag.split else Reason.TARGETING_MATCH


def _parsed(text: str, wanted: tuple[type, ...]) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ParseError("the variant's payload is not JSON") from error
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise TypeMismatchError("the variant's payload has another type")
    return value
