"""Who sells and who buys: as given, or guessed from what is said, with the reasons."""

from collections.abc import Mapping

from services.nlp.models.conversation import Role, RoleSource, SpeakerRole
from services.nlp.services.conversation.document import ROLE_AGENT, ROLE_CUSTOMER
from services.nlp.services.conversation.questions import questions_in
from services.nlp.services.conversation.transcript import Said, Transcript

_PHRASE, _ASKS_MOST, _BEGINS = 2.0, 1.0, 0.5
_SURE, _HALF = 3.0, 2.0
"""Points ahead at which a guess counts, and at which its confidence would be a half."""
_REASONS = 5
_PAIR = 2


def assign_roles(transcript: Transcript, given: Mapping[str, Role]) -> tuple[SpeakerRole, ...]:
    """The role of each speaker, in the order of the request.

    What is given stands. Of two speakers, the other one is on the other side. Only where nothing is
    given is it guessed: who says what sellers say, asks the most and speaks first.
    """
    if any(role is not Role.UNKNOWN for role in given.values()):
        return tuple(_known(speaker, given, transcript.speakers) for speaker in transcript.speakers)
    if len(transcript.speakers) < _PAIR or not transcript.speaks:
        return tuple(_unknown(speaker) for speaker in transcript.speakers)
    return _guess(transcript)


def _known(speaker: str, given: Mapping[str, Role], speakers: tuple[str, ...]) -> SpeakerRole:
    role = given.get(speaker)
    if role is not None and role is not Role.UNKNOWN:
        return SpeakerRole(speaker, role, RoleSource.GIVEN, 1.0)
    if role is None and len(speakers) == _PAIR:
        (other,) = (given[one] for one in speakers if one != speaker)
        opposite = Role.CUSTOMER if other is Role.AGENT else Role.AGENT
        because = ("the only other speaker is on the other side",)
        return SpeakerRole(speaker, opposite, RoleSource.GUESSED, 0.9, because)
    return _unknown(speaker)


def _unknown(speaker: str) -> SpeakerRole:
    return SpeakerRole(speaker, Role.UNKNOWN, RoleSource.UNKNOWN, 0.0)


def _guess(transcript: Transcript) -> tuple[SpeakerRole, ...]:
    points: dict[str, float] = {}
    reasons: dict[str, list[str]] = {}
    asked = {
        speaker: sum(sum(questions_in(said)) for said in transcript.said(frozenset((speaker,))))
        for speaker in transcript.speakers
    }
    most = max(asked.values())
    first = transcript.turns[0].speaker
    for speaker in transcript.speakers:
        said = list(transcript.said(frozenset((speaker,))))
        sells, buys = _phrases(said, ROLE_AGENT), _phrases(said, ROLE_CUSTOMER)
        points[speaker] = _PHRASE * (len(sells) - len(buys))
        reasons[speaker] = [f"says “{text}”" for text in (*sells, *buys)][:_REASONS]
        if asked[speaker] == most and list(asked.values()).count(most) == 1:
            points[speaker] += _ASKS_MOST
            reasons[speaker].append(f"asks the most: {most} times")
        if speaker == first:
            points[speaker] += _BEGINS
            reasons[speaker].append("speaks first")
    ranked = sorted(transcript.speakers, key=lambda speaker: -points[speaker])
    ahead = points[ranked[0]] - points[ranked[1]]
    if ahead < _SURE:
        return tuple(_unknown(speaker) for speaker in transcript.speakers)
    confidence = round(ahead / (ahead + _HALF), 2)
    found = {ranked[0]: Role.AGENT}
    for speaker in ranked[1:]:
        # Who neither sells nor buys may be a colleague of either side.
        if len(ranked) == _PAIR or points[speaker] < 0:
            found[speaker] = Role.CUSTOMER
    return tuple(
        SpeakerRole(
            speaker, found[speaker], RoleSource.GUESSED, confidence, tuple(reasons[speaker])
        )
        if speaker in found
        else _unknown(speaker)
        for speaker in transcript.speakers
    )


def _phrases(said: list[Said], name: str) -> list[str]:
    """What is said of a list, each wording once, as it is written."""
    found = (
        one.segment.text[start:end].lower() for one in said for start, end in one.quotes([name])
    )
    return list(dict.fromkeys(found))
