"""Whether a voice is one of the known ones: a threshold, and a margin before the second best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.asr.models.speakers import (
    DiarizedSpeaker,
    Embedding,
    Identity,
    KnownMatch,
    KnownVoices,
)

_CANDIDATES = 3
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """When a voice is taken for a known one.

    Attributes:
        threshold: Cosine with the nearest prototype of the speaker, at least.
        margin: By so much the speaker must be nearer than any other one.
        least_speech_s: From less speech nobody is recognized.
    """

    threshold: float = 0.8
    margin: float = 0.05
    least_speech_s: float = 1.0


def ranked(voice: Embedding, known: KnownVoices) -> tuple[KnownMatch, ...]:
    """The known speakers by their nearest prototype, best first."""
    if not known.ids or known.vectors.shape[1] != len(voice):
        return ()
    best: dict[str, tuple[float, str]] = {}
    scores = known.vectors @ voice
    for speaker_id, name, score in zip(known.ids, known.names, scores.tolist(), strict=True):
        if score > best.get(speaker_id, (-2.0, ""))[0]:
            best[speaker_id] = (score, name)
    return tuple(
        KnownMatch(speaker_id, round(min(score, 1.0), _DIGITS), name)
        for speaker_id, (score, name) in sorted(best.items(), key=lambda one: -one[1][0])
    )


def decided(
    speakers: Sequence[DiarizedSpeaker],
    voices: Sequence[Embedding],
    known: KnownVoices,
    rules: MatchingRules,
) -> tuple[DiarizedSpeaker, ...]:
    """The speakers of a recording, each known or unknown."""
    return tuple(
        _decided(speaker, ranked(voice, known), rules)
        for speaker, voice in zip(speakers, voices, strict=True)
    )


def similarity(voice: Embedding, known: KnownVoices) -> float | None:
    """The cosine of a voice with the nearest of others; None where there are none."""
    scores = ranked(voice, known)
    return scores[0].score if scores else None


def _decided(
    speaker: DiarizedSpeaker, order: Sequence[KnownMatch], rules: MatchingRules
) -> DiarizedSpeaker:
    second = order[1].score if len(order) > 1 else -1.0
    sure = (
        bool(order)
        and speaker.speech_seconds >= rules.least_speech_s
        and order[0].score >= rules.threshold
        and order[0].score - second >= rules.margin
    )
    return replace(
        speaker,
        identity=Identity.KNOWN if sure else Identity.UNKNOWN,
        known=order[0] if sure else None,
        candidates=tuple(order[:_CANDIDATES]),
    )
