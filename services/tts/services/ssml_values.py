"""What the attributes of SSML mean; every function answers None for what has no meaning here."""

import math
import re

MOST_PAUSE_S = 10.0
MIN_FACTOR, MAX_FACTOR = 0.25, 4.0
"""Of speed, however deep it is nested."""
MIN_PITCH, MAX_PITCH = 0.5, 2.0
MAX_VOLUME = 2.0
_STRENGTHS = {
    "none": 0.0,
    "x-weak": 0.1,
    "weak": 0.2,
    "medium": 0.4,
    "strong": 0.8,
    "x-strong": 1.5,
}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.35, "x-fast": 1.8}
_PITCHES = {"x-low": 0.7, "low": 0.85, "medium": 1.0, "default": 1.0, "high": 1.2, "x-high": 1.45}
_VOLUMES = {
    "silent": 0.0,
    "x-soft": 0.25,
    "soft": 0.5,
    "medium": 1.0,
    "default": 1.0,
    "loud": 1.4,
    "x-loud": 2.0,
}
EMPHASIS = {
    "strong": (0.85, 1.08, 1.4),
    "moderate": (0.93, 1.04, 1.2),
    "none": (1.0, 1.0, 1.0),
    "reduced": (1.08, 0.97, 0.8),
}
"""Speed, pitch and volume of each level."""
_TIME = re.compile(r"\+?([0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(ms|s)")
_PERCENT = re.compile(r"([-+]?)([0-9]{1,4}(?:\.[0-9]{1,4})?)%")
_PLAIN = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,4})?")
_SEMITONES = re.compile(r"([-+])([0-9]{1,2}(?:\.[0-9]{1,4})?)st")
_DECIBELS = re.compile(r"([-+])([0-9]{1,2}(?:\.[0-9]{1,4})?)dB")


def seconds_of(text: str) -> float | None:
    """`500ms`, `1.5s`."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


def strength_of(text: str) -> float | None:
    """Seconds of `weak`, `strong` and the like."""
    return _STRENGTHS.get(text)


def rate_of(text: str) -> float | None:
    """`slow`, `120%` of the usual, `+20%` more than it, `1.2` times it."""
    factor = _RATES.get(text)
    if factor is None and _PLAIN.fullmatch(text):
        factor = float(text)
    return _within(factor or _percent(text), MIN_FACTOR, MAX_FACTOR)


def pitch_of(text: str) -> float | None:
    """`high`, `+10%`, `90%`, `-2st`."""
    factor = _PITCHES.get(text) or _percent(text)
    found = _SEMITONES.fullmatch(text)
    if found is not None:
        factor = 2.0 ** (float(found[1] + found[2]) / 12)
    return _within(factor, MIN_PITCH, MAX_PITCH)


def volume_of(text: str) -> float | None:
    """`soft`, `+6dB`, `50%`, `-20%`."""
    factor = _VOLUMES.get(text)
    if factor is None:
        factor = _percent(text)
    found = _DECIBELS.fullmatch(text)
    if found is not None:
        factor = 10.0 ** (float(found[1] + found[2]) / 20)
    return _within(factor, 0.0, MAX_VOLUME)


def _percent(text: str) -> float | None:
    """A part of the whole, or with a sign the change of it."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        return None
    value = float(found[2]) / 100
    if found[1]:
        return 1 + value if found[1] == "+" else 1 - value
    return value


def _within(factor: float | None, lowest: float, highest: float) -> float | None:
    if factor is None or not lowest <= round(factor, 3) <= highest or math.isnan(factor):
        return None
    return round(factor, 4)
