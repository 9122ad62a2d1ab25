"""What was recognized. Times are in seconds from the start of the audio, confidences 0 to 1."""

from dataclasses import dataclass

from services.asr.models.speakers import DiarizedSpeaker


@dataclass(frozen=True, slots=True)
class Word:
    """One recognized word; who said it and on which channel, where that is known."""

    word: str
    start: float
    end: float
    confidence: float
    speaker: str | None = None
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of an utterance and its score (higher is better; comparable within a list)."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the model says about one piece of audio."""

    text: str
    words: tuple[Word, ...]
    confidence: float
    alternatives: tuple[Hypothesis, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recognized segment in the time of the whole audio."""

    start: float
    end: float
    text: str
    confidence: float
    channel: int | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class WordAlternatives:
    """Readings of one word, each with its share of the hypotheses' weight, best first."""

    word: str
    tokens: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """A transcript against what was said: rates of word, match and character errors."""

    wer: float
    mer: float
    cer: float
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    reference_words: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """The recognition of one audio item; `duration` in seconds."""

    text: str
    words: tuple[Word, ...]
    utterances: tuple[Utterance, ...]
    confidence: float
    duration: float
    alternatives: tuple[WordAlternatives, ...] | None = None
    quality: Quality | None = None
    speakers: tuple[DiarizedSpeaker, ...] | None = None
