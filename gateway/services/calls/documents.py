"""What a call's answer is put together of; pure functions over the services' documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.models.calls import Degradation

AGENT, CUSTOMER = "agent", "customer"
GIVEN = "given"
ONE_SPEAKER = "SPEAKER_00"
"""Stands for everybody where speakers could not be told apart."""
_TWO = 2
Document = Mapping[str, Any]


def said(transcript: Document) -> list[dict[str, Any]]:
    """The segments with words, each with a speaker: the analysis knows no other."""
    segments = [transcript["segments"][index] for index in _spoken(transcript)]
    return [{**one, "speaker": one.get("speaker") or ONE_SPEAKER} for one in segments]


def told_apart(transcript: Document) -> bool:
    """Whether it is known who says what."""
    return all(one.get("speaker") is not None for one in transcript["segments"])


def roles_of(details: Document, transcript: Document) -> dict[str, str]:
    """The role of each speaker, as far as the sender's words say it.

    Args:
        details: With `agent_channel` or `first_speaker`, or neither.
        transcript: Of separate channels, speakers are numbered as those.
    """
    speakers = [one["speaker"] for one in transcript.get("speakers") or ()]
    channel, first_role = details.get("agent_channel"), details.get("first_speaker")
    if channel is not None:
        agent = f"SPEAKER_{channel:02d}"
        return {one: AGENT if one == agent else CUSTOMER for one in speakers}
    segments = transcript["segments"]
    if first_role is None or not segments or segments[0].get("speaker") is None:
        return {}
    first = segments[0]["speaker"]
    roles = {first: first_role}
    others = [one for one in speakers if one != first]
    if first_role == AGENT:
        roles |= dict.fromkeys(others, CUSTOMER)
    elif len(speakers) == _TWO:
        roles |= dict.fromkeys(others, AGENT)
    # Of several who are not the customer, nobody said which one the agent is.
    return roles


def with_sentiment(transcript: Document, analysis: Document | None) -> dict[str, Any]:
    """The transcript, its segments with the sentiment that was found for them; else null."""
    judged = [one.get("sentiment") for one in (analysis or {}).get("segments") or ()]
    spoken = _spoken(transcript)
    moods: dict[int, Any] = {}
    if len(judged) == len(spoken):
        moods = dict(zip(spoken, judged, strict=True))
    return {
        **transcript,
        "segments": [
            {**one, "sentiment": moods.get(index)}
            for index, one in enumerate(transcript["segments"])
        ],
    }


def with_roles(
    transcript: Document, given: Mapping[str, str], analysis: Document | None
) -> dict[str, Any]:
    """The transcript, its speakers with their roles: given, or guessed from what they say."""
    speakers = transcript.get("speakers")
    if speakers is None:
        return dict(transcript)
    known = {one: (role, GIVEN) for one, role in given.items()}
    for one in (analysis or {}).get("roles") or ():
        if one["role"] in (AGENT, CUSTOMER):
            known.setdefault(one["speaker"], (one["role"], one["source"]))
    return {
        **transcript,
        "speakers": [
            {**one, "role": role, "role_source": source}
            for one in speakers
            for role, source in (known.get(one["speaker"], (None, None)),)
        ],
    }


def moments_in(transcript: Document, analysis: Document) -> list[Mapping[str, Any]]:
    """The moments, their `segment` counted among all segments of the transcript."""
    spoken = _spoken(transcript)
    return [
        {**one, "segment": spoken[one["segment"]] if one["segment"] < len(spoken) else None}
        for one in analysis["moments"]
    ]


def degradations(found: Sequence[Document]) -> tuple[Degradation, ...]:
    """Those that a service states."""
    return tuple(Degradation(one["step"], one["reason"]) for one in found)


def clip_span(moment: Document, longest_s: float) -> tuple[float, float]:
    """From when to when a moment is heard."""
    start, end = float(moment["start"]), float(moment["end"])
    return start, min(end, start + longest_s)


def _spoken(transcript: Document) -> list[int]:
    """Numbers of the segments that the analysis was given."""
    return [index for index, one in enumerate(transcript["segments"]) if one["text"].strip()]
