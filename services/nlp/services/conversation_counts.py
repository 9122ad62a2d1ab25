"""What the analysis of conversations counts."""

from collections.abc import Sequence

from prometheus_client import Counter

from services.nlp.models.conversation import DegradedStep, Findings
from services.nlp.services.conversation.document import RulesDocument
from shared.metrics import Metrics


class ConversationCounts:
    """Conversations, their moments, and what was missing.

    Labels are detectors and steps: the names of rules are the tenants' own.
    """

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self._conversations = Counter(
            "speechgate_nlp_conversations", "Conversations that were analyzed", registry=registry
        )
        self._characters = Counter(
            "speechgate_nlp_conversation_characters",
            "Characters of conversations that were analyzed",
            registry=registry,
        )
        self._moments = Counter(
            "speechgate_nlp_conversation_moments",
            "Coachable moments that were found",
            ["detector", "severity"],
            registry=registry,
        )
        self._degraded = Counter(
            "speechgate_nlp_conversation_degraded",
            "Conversations that were analyzed without a step",
            ["step"],
            registry=registry,
        )

    def finished(
        self,
        rules: RulesDocument,
        findings: Findings,
        degraded: Sequence[DegradedStep],
        characters: int,
    ) -> None:
        """A conversation was analyzed."""
        self._conversations.inc()
        self._characters.inc(characters)
        detectors = {rule.id: rule.detector for rule in rules.rules}
        for moment in findings.moments:
            self._moments.labels(detectors[moment.rule_id], moment.severity.value).inc()
        for step in degraded:
            self._degraded.labels(step.step).inc()
