"""Fields of calls, and the speakers of separate channels."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.asr.models.audio import ChannelMode
from services.asr.models.transcript import Transcript, Utterance, Word
from services.asr.schemas.calls import CallBody, CallFields
from services.asr.services.calls import with_channel_speakers


def test_each_channel_is_a_speaker() -> None:
    found = with_channel_speakers(
        Transcript(
            text="hello hi you",
            words=(Word("hello", 0.0, 1.0, 1.0, channel=1), Word("hi", 1.0, 2.0, 1.0, channel=0)),
            utterances=(
                Utterance(0.0, 1.0, "hello", 1.0, channel=1),
                Utterance(1.0, 2.5, "hi", 1.0, channel=0),
                Utterance(3.0, 4.0, "you", 1.0, channel=1),
            ),
            confidence=1.0,
            duration=4.0,
        )
    )
    assert [one.speaker for one in found.utterances] == ["SPEAKER_01", "SPEAKER_00", "SPEAKER_01"]
    assert [one.speaker for one in found.words] == ["SPEAKER_01", "SPEAKER_00"]
    assert found.speakers is not None
    assert [(one.label, one.speech_seconds) for one in found.speakers] == [
        ("SPEAKER_00", 1.5),
        ("SPEAKER_01", 2.0),
    ]


def test_a_form_that_nobody_filled_in_says_nothing() -> None:
    fields = CallFields.model_validate(
        {"title": "", "agent_name": "", "agent_channel": "", "first_speaker": ""}
    )
    assert not any(fields.metadata().model_dump().values())
    options = fields.options()
    assert options.diarization is not None
    assert options.diarization.optional
    assert fields.keeps


def test_separate_channels_need_no_diarization() -> None:
    options = CallFields.model_validate({"channels": "separate", "agent_channel": "1"}).options()
    assert (options.channels, options.diarization) == (ChannelMode.SEPARATE, None)


@pytest.mark.parametrize("name", ["keep_recording", "data_tracking"])
def test_either_wish_forbids_the_recording(name: str) -> None:
    assert not CallFields.model_validate({name: "false"}).keeps


@pytest.mark.parametrize(
    "fields",
    [
        {"agent_channel": "0"},
        {"agent_channel": "8", "channels": "separate"},
        {"agent_channel": "0", "first_speaker": "agent", "channels": "separate"},
        {"num_speakers": "2", "channels": "separate"},
        {"num_speakers": "3", "max_speakers": "2"},
        {"first_speaker": "boss"},
        {"title": "a\nb"},
        {"title": "x" * 201},
        {"external_id": "x" * 129},
        {"customer_name": "\u202e"},
        {"unknown": "1"},
        {"language": "e"},
        {"words": "perhaps"},
    ],
)
def test_what_contradicts_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CallFields.model_validate(fields)


@pytest.mark.parametrize("body", [{}, {"audioContent": "QQ==", "audioUri": "https://a.example"}])
def test_a_document_has_one_recording(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either"):
        CallBody.model_validate(body)
