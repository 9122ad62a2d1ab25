"""Evaluations through the OpenFeature client, in a domain of this app's own."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent, ProviderEventDetails
from openfeature.exception import OpenFeatureError
from openfeature.provider.no_op_provider import NoOpProvider
from prometheus_client import Counter, Gauge

from gateway.flags.protocol import FlagSource
from gateway.models.flags import FlagContext, FlagEvaluation, FlagKind, FlagState
from shared.db.base import new_id, utc_now
from shared.metrics import Metrics

UNKNOWN = "unknown"
_NOTHING = NoOpProvider()
_QUESTIONS = {
    FlagKind.BOOLEAN: "get_boolean_details",
    FlagKind.STRING: "get_string_details",
    FlagKind.NUMBER: "get_float_details",
    FlagKind.OBJECT: "get_object_details",
}


class FlagClient:
    """What the gateway asks flags of; keeps the metrics of evaluations and of their source.

    Args:
        source: The provider.
        environment: Name of the environment whose flags it has.
        metrics: Of the process.
    """

    def __init__(self, source: FlagSource, environment: str, metrics: Metrics) -> None:
        self.source = source
        self.environment = environment
        # OpenFeature's registry belongs to the process; a domain keeps apps apart in it.
        self._domain = f"speechgate-{new_id()}"
        self._client: OpenFeatureClient = api.get_client(self._domain)
        self._handlers: dict[ProviderEvent, Callable[[EventDetails], None]] = {}
        self._listeners: list[Callable[[], None]] = []
        self._evaluations = Counter(
            "speechgate_flag_evaluations",
            "Flags that were evaluated",
            ["flag", "variant", "reason"],
            registry=metrics.registry,
        )
        self._stale = Gauge(
            "speechgate_flags_stale",
            "1 while the source of the flags does not answer",
            registry=metrics.registry,
        )
        age = Gauge(
            "speechgate_flags_age_seconds",
            "Since the source of the flags last answered; -1 when never",
            registry=metrics.registry,
        )
        self._stale.set_function(lambda: float(source.stale))
        age.set_function(self._age_s)

    def _age_s(self) -> float:
        refreshed_at = self.source.refreshed_at
        return -1.0 if refreshed_at is None else max(0.0, time.time() - refreshed_at)

    async def open(self) -> None:
        """Open the source and listen to its events; a dead source is no error."""
        loop = asyncio.get_running_loop()

        def heard(_: EventDetails) -> None:
            # Handlers run on a thread of OpenFeature's; what listens belongs to the loop.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._tell)

        await self.source.open()
        try:
            api.set_provider_and_wait(self.source, self._domain)
        except OpenFeatureError:
            pass  # Its status says so, and it is asked nevertheless: defaults, until it is ready.
        else:
            if self.source.stale:
                api_details = ProviderEventDetails(message="last known flags")
                self.source.emit_provider_stale(api_details)  # type: ignore[attr-defined] # every provider has it
        for event in (ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, ProviderEvent.PROVIDER_READY):
            self._client.add_handler(event, heard)
            self._handlers[event] = heard

    async def close(self) -> None:
        """Forget the listeners and close the source."""
        self._listeners.clear()
        for event, handler in self._handlers.items():
            self._client.remove_handler(event, handler)
        self._handlers.clear()
        await self.source.close()
        # The registry has no way to forget a domain, only to put another provider there.
        api.set_provider_and_wait(_NOTHING, self._domain)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function on the loop whenever the flags may have changed."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    @property
    def state(self) -> FlagState:
        """How well the flags are known."""
        refreshed_at = self.source.refreshed_at
        return FlagState(
            self.source.source,
            self.environment,
            self.source.stale,
            datetime.fromtimestamp(refreshed_at, UTC) if refreshed_at is not None else None,
        )

    def kind_of(self, name: str) -> FlagKind:
        """The type of a flag's values; boolean for one that is not known."""
        flag = self.source.document.flags.get(name)
        return FlagKind.BOOLEAN if flag is None else flag.kind

    def evaluate(
        self, name: str, context: FlagContext, default: Any, kind: FlagKind
    ) -> FlagEvaluation:
        """What a flag says; from memory, never raises.

        Args:
            name: Of the flag.
            context: Whom it is evaluated for.
            default: Value of the kind; the answer when the flag has none.
            kind: Type of the value.
        """
        evaluated = self.measure(name, context, default, kind)
        known = name in self.source.document.flags
        self._evaluations.labels(
            name if known else UNKNOWN, evaluated.variant or "", evaluated.reason
        ).inc()
        return evaluated

    def measure(
        self, name: str, context: FlagContext, default: Any, kind: FlagKind
    ) -> FlagEvaluation:
        """As `evaluate`, but not counted."""
        asked = EvaluationContext(context.targeting_key, context.attributes)
        ask: Callable[..., Any] = getattr(self._client, _QUESTIONS[kind])
        details = ask(name, default, asked)
        value = details.value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return FlagEvaluation(
            flag_name=name,
            value=default if details.error_code else value,
            variant=details.variant,
            reason=str(details.reason or "UNKNOWN"),
            evaluated_at=utc_now(),
            error_code=str(details.error_code.value) if details.error_code else None,
        )
