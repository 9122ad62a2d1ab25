"""The flags of one environment: the document that Unleash gives its clients.

`GET /api/client/features`, documented at https://docs.getunleash.io/api/get-all-client-features.
A flags file has the same shape, so that both are evaluated alike.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.models.flags import Flag, FlagKind, StoredFlag

MAX_BYTES = 16 * 1024 * 1024
# All that Unleash allows: one flag of a shared server must not make its document unusable.
NAME = re.compile(r"[0-9A-Za-z._~!*'()-]{1,100}")
_KINDS = {"json": FlagKind.OBJECT, "number": FlagKind.NUMBER}
_ALL = 100
_DESCRIPTION_LENGTH = 500


class MalformedFlags(ValueError):
    """This is no document of flags."""


@dataclass(frozen=True, slots=True)
class FlagDocument:
    """Flags of one environment.

    Attributes:
        flags: By name.
        features: As the source gave them, by name.
        segments: Constraints that strategies share, by id.
        text: The document.
    """

    flags: Mapping[str, Flag] = field(default_factory=dict)
    features: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    segments: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    text: str = '{"version":2,"features":[],"segments":[]}'

    @classmethod
    def parse(cls, text: str | bytes) -> "FlagDocument":
        """The document in a text.

        Raises:
            MalformedFlags: With the reason.
        """
        if len(text) > MAX_BYTES:
            raise MalformedFlags("too large")
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise MalformedFlags("not JSON") from error
        try:
            features = {feature["name"]: _complete(feature) for feature in content["features"]}
            segments = {part["id"]: part for part in content.get("segments") or ()}
            flags = {name: _flag(feature) for name, feature in features.items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedFlags("not the shape of /api/client/features") from error
        if not all(isinstance(name, str) and NAME.fullmatch(name) for name in flags):
            raise MalformedFlags("a name that is none")
        complete = {
            "version": content.get("version", 2),
            "features": list(features.values()),
            "segments": list(segments.values()),
        }
        return cls(flags, features, segments, orjson.dumps(complete).decode())

    @classmethod
    def restore(cls, stored: Iterable[StoredFlag]) -> "FlagDocument":
        """The document that `store` took apart.

        Raises:
            MalformedFlags: Somebody changed it.
        """
        features, segments = [], {}
        for item in stored:
            features.append(item.definition.get("feature"))
            for segment in item.definition.get("segments") or ():
                segments[segment.get("id")] = segment
        return cls.parse(
            orjson.dumps({"version": 2, "features": features, "segments": list(segments.values())})
        )

    def store(self) -> list[StoredFlag]:
        """Each flag with all that its evaluation needs."""
        return [
            StoredFlag(
                flag,
                {
                    "feature": self.features[name],
                    "segments": [
                        self.segments[wanted]
                        for wanted in _segments_of(self.features[name])
                        if wanted in self.segments
                    ],
                },
            )
            for name, flag in sorted(self.flags.items())
        ]

    def changed(self, other: "FlagDocument") -> list[str]:
        """Names of flags that are not the same in another document."""
        names = self.features.keys() | other.features.keys()
        if self.segments != other.segments:
            return sorted(names)
        return sorted(name for name in names if self.features.get(name) != other.features.get(name))


def _complete(feature: dict[str, Any]) -> dict[str, Any]:
    """With the members that the engine insists on."""
    return {**feature, "enabled": bool(feature["enabled"]), "strategies": feature["strategies"]}


def _segments_of(feature: Mapping[str, Any]) -> set[int]:
    return {
        segment for strategy in feature["strategies"] for segment in strategy.get("segments") or ()
    }


def _flag(feature: Mapping[str, Any]) -> Flag:
    strategies = feature["strategies"]
    variants: dict[str, Any] = {}
    for holder in (feature, *strategies):
        for variant in holder.get("variants") or ():
            variants.setdefault(variant["name"], variant.get("payload") or {})
    rollouts = [found for found in map(_rollout, strategies) if found is not None]
    return Flag(
        name=feature["name"],
        enabled=feature["enabled"],
        description=str(feature.get("description") or "")[:_DESCRIPTION_LENGTH],
        type=str(feature.get("type") or "release")[:50],
        kind=_kind(variants),
        variants=tuple(variants),
        strategies=tuple(str(strategy["name"]) for strategy in strategies),
        split=len(variants) > 1 or any(rollout < _ALL for rollout in rollouts),
        rollout=max(rollouts, default=None),
    )


def _kind(variants: Mapping[str, Mapping[str, Any]]) -> FlagKind:
    for payload in variants.values():
        if payload:
            return _KINDS.get(payload.get("type", ""), FlagKind.STRING)
    return FlagKind.STRING if variants else FlagKind.BOOLEAN


def _rollout(strategy: Mapping[str, Any]) -> int | None:
    parameters = strategy.get("parameters") or {}
    found = parameters.get("rollout", parameters.get("percentage"))
    try:
        return None if found is None else int(found)
    except ValueError:
        return None  # The engine reads it as it likes.
