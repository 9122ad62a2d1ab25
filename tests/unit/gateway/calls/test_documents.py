"""What a call's answer is put together of."""

from typing import Any

import pytest

from gateway.inner_routes import INNER_ROUTES
from gateway.models.calls import Call, CallStatus, Degradation
from gateway.models.permissions import ROLES
from gateway.models.route_table import RouteTable
from gateway.routes import OWN_ROUTES, ROUTES
from gateway.schemas.calls import CallForm, CallJson
from gateway.services.calls.documents import (
    clip_span,
    moments_in,
    roles_of,
    said,
    told_apart,
    with_roles,
    with_sentiment,
)
from services.asr.schemas.calls import CallBody, CallFields
from shared.db.base import utc_now

Document = dict[str, Any]


def transcript(*speakers: str | None, texts: tuple[str, ...] | None = None) -> Document:
    found = list(dict.fromkeys(one for one in speakers if one is not None))
    return {
        "segments": [
            {"speaker": one, "start": float(index), "end": index + 1.0, "text": text}
            for index, (one, text) in enumerate(
                zip(speakers, texts or ("word",) * len(speakers), strict=True)
            )
        ],
        "speakers": [{"speaker": one, "speech_seconds": 1.0} for one in found] or None,
    }


A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"


@pytest.mark.parametrize(
    ("details", "speakers", "roles"),
    [
        ({}, (A, B), {}),
        ({"first_speaker": "agent"}, (B, A), {B: "agent", A: "customer"}),
        ({"first_speaker": "agent"}, (A, B, C), {A: "agent", B: "customer", C: "customer"}),
        ({"first_speaker": "customer"}, (A, B), {A: "customer", B: "agent"}),
        # Which of the others is the agent, nobody said.
        ({"first_speaker": "customer"}, (A, B, C), {A: "customer"}),
        ({"first_speaker": "agent"}, (A,), {A: "agent"}),
        ({"first_speaker": "agent"}, (None, None), {}),
        ({"first_speaker": "agent"}, (), {}),
        ({"agent_channel": 1}, (A, B), {A: "customer", B: "agent"}),
        ({"agent_channel": 0}, (A, B), {A: "agent", B: "customer"}),
        ({"agent_channel": 0}, (B,), {B: "customer"}),
    ],
)
def test_roles_are_what_the_sender_says(
    details: Document, speakers: tuple[str | None, ...], roles: dict[str, str]
) -> None:
    assert roles_of(details, transcript(*speakers)) == roles


def test_speakers_carry_their_roles() -> None:
    guesses = {
        "roles": [
            {"speaker": A, "role": "customer", "source": "guessed"},
            {"speaker": B, "role": "customer", "source": "guessed"},
            {"speaker": C, "role": "unknown", "source": "unknown"},
        ]
    }
    found = with_roles(transcript(A, B, C), {B: "agent"}, guesses)["speakers"]
    assert [(one["role"], one["role_source"]) for one in found] == [
        ("customer", "guessed"),
        ("agent", "given"),
        (None, None),
    ]
    alone = with_roles(transcript(A, B), {B: "agent"}, None)["speakers"]
    assert [one["role"] for one in alone] == [None, "agent"]
    assert with_roles(transcript(None), {}, guesses)["speakers"] is None


def test_silence_is_not_analyzed_and_sentiments_stay_at_their_segments() -> None:
    heard = transcript(A, B, A, texts=("one", " ", "three"))
    assert [one["text"] for one in said(heard)] == ["one", "three"]
    moods = [{"label": "positive", "score": 0.5}, {"label": "negative", "score": -0.5}]
    judged = with_sentiment(heard, {"segments": [{"sentiment": one} for one in moods]})
    assert [one["sentiment"] for one in judged["segments"]] == [moods[0], None, moods[1]]
    moments = moments_in(heard, {"moments": [{"segment": 1}, {"segment": 0}, {"segment": 9}]})
    assert [one["segment"] for one in moments] == [2, 0, None]


@pytest.mark.parametrize("analysis", [None, {"segments": []}, {"segments": [{}] * 3}])
def test_without_a_sentiment_for_each_segment_there_is_none(analysis: Document | None) -> None:
    judged = with_sentiment(transcript(A, B), analysis)
    assert [one["sentiment"] for one in judged["segments"]] == [None, None]


def test_unknown_speakers_are_one_for_the_analysis_only() -> None:
    heard = transcript(None, None)
    assert not told_apart(heard)
    assert {one["speaker"] for one in said(heard)} == {A}
    assert [one["speaker"] for one in heard["segments"]] == [None, None]


def test_a_clip_is_no_longer_than_wanted() -> None:
    assert clip_span({"start": 2, "end": 100}, 30.0) == (2.0, 32.0)
    assert clip_span({"start": 2, "end": 3.5}, 30.0) == (2.0, 3.5)


def test_a_call_is_degraded_when_anything_was_missing() -> None:
    call = Call("1", "t", "s", "r", "t", utc_now(), "en", 1.0, "a")
    assert call.status is CallStatus.COMPLETE
    lacking = Call(
        "1", "t", "s", "r", "t", utc_now(), "en", 1.0, "a", degraded=(Degradation("analysis", "x"),)
    )
    assert lacking.status is CallStatus.DEGRADED


def test_the_documented_fields_are_those_that_the_asr_service_takes() -> None:
    assert set(CallForm.model_fields) == set(CallFields.model_fields)
    assert set(CallJson.model_fields) == set(CallBody.model_fields)
    for name, field in CallForm.model_fields.items():
        assert field.default == CallFields.model_fields[name].default, name


def test_inner_routes_have_no_public_path() -> None:
    public = RouteTable(ROUTES)
    for route in INNER_ROUTES:
        found = public.find(route.template.replace("{id}", "0" * 32)) or {}
        assert route.method not in found
    own = {(route.method, route.template): route for route in OWN_ROUTES}
    for path in ("/api/v1/calls/transcribe", "/transcribe"):
        assert own["POST", path].permission == "calls:write"
        assert own["POST", path].composed
    for path in ("/api/v1/calls/{id}/replay", "/replay"):
        assert own["POST", path].permission == "calls:read"


def test_every_role_may_work_with_calls() -> None:
    for role, held in ROLES.items():
        assert {"calls:read", "calls:write"} <= set(held) or "*" in held, role
