"""From speech probabilities to utterances. Pure: indices count from the last settled position."""

from dataclasses import dataclass

WINDOW = 512
"""Samples at 16 kHz that a probability stands for."""
_MIN_SPEECH = 4
_HYSTERESIS = 0.15


@dataclass(frozen=True, slots=True)
class Rules:
    """When speech begins and ends; in windows unless said otherwise.

    Attributes:
        silence: That ends an utterance.
        longest: Utterance.
        threshold: Probability from which a window is speech; below it minus 0.15 it is silence.
        pad: Silence kept on both sides of speech.
        edge: Silence at the beginning that is kept whole: short audio goes to the model as it came.
        roll: Silence after which the audio is settled although nobody spoke.
    """

    silence: int
    longest: int
    threshold: float = 0.5
    pad: int = 10
    edge: int = 16
    roll: int = 94


@dataclass(frozen=True, slots=True)
class Started:
    """Somebody speaks; the utterance begins at this sample, silence before it included."""

    start: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Nobody spoke for long enough.

    Attributes:
        start: Of the utterance, in samples.
        speech_end: Of the speech in it.
        end: Of the utterance; audio may be settled here.
    """

    start: int
    speech_end: int
    end: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """The utterance from `start` has to be cut, between its middle and here."""

    start: int
    until: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nobody spoke for long; audio up to `until` may be settled."""

    until: int


Decision = Started | Ended | TooLong | Quiet


class Endpointer:
    """One pass from a settled position to the next: after anything but `Started`, make a new one.

    Args:
        rules: When speech begins and ends.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._count = 0
        self._first: int | None = None
        self._quiet: int | None = None
        self._idle_since = 0
        self._started: int | None = None

    @property
    def speaking(self) -> bool:
        """Whether an utterance has begun."""
        return self._started is not None

    def push(self, probability: float) -> Decision | None:
        """The next window's probability; what follows from it."""
        index, rules = self._count, self._rules
        self._count += 1
        if probability >= rules.threshold:
            self._first = index if self._first is None else self._first
            self._quiet = None
        elif probability < rules.threshold - _HYSTERESIS and self._first is not None:
            self._quiet = index if self._quiet is None else self._quiet
        if self._started is not None:
            return self._go_on(self._started)
        return self._wait()

    def finish(self, total: int) -> Ended | None:
        """The audio ends here, at `total` samples: the utterance that is under way, if one is."""
        if self._first is None:
            return None
        last = min(self._count if self._quiet is None else self._quiet, -(-total // WINDOW))
        if last - self._first < _MIN_SPEECH:
            return None
        start = self._start_of(self._first) if self._started is None else self._started
        speech_end = min(last * WINDOW, total)
        keep = total - speech_end <= self._rules.edge * WINDOW
        end = total if keep else speech_end + self._rules.pad * WINDOW
        return Ended(start, speech_end, end)

    def _wait(self) -> Decision | None:
        rules = self._rules
        if self._first is not None:
            if self._quiet is None:
                if self._count - self._first < _MIN_SPEECH:
                    return None
                self._started = self._start_of(self._first)
                return Started(self._started)
            if self._count - self._quiet < _MIN_SPEECH:
                return None
            # A click, not speech.
            self._first = self._quiet = None
            self._idle_since = self._count
        if self._count - self._idle_since >= rules.roll:
            return Quiet((self._count - rules.edge) * WINDOW)
        return None

    def _go_on(self, started: int) -> Decision | None:
        rules = self._rules
        if self._quiet is not None and self._count - self._quiet >= rules.silence:
            end = min(self._quiet + rules.pad, self._count) * WINDOW
            return Ended(started, self._quiet * WINDOW, end)
        if self._count * WINDOW - started >= rules.longest * WINDOW:
            return TooLong(started, self._count * WINDOW)
        return None

    def _start_of(self, first: int) -> int:
        rules = self._rules
        return 0 if first <= rules.edge else (first - rules.pad) * WINDOW
