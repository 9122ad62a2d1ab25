import pytest

from services.tts.exceptions import UnknownVoice
from services.tts.models.speech import Voice
from services.tts.models.voices import ModelFacts, ModelVoice
from services.tts.services.voices import choose_voice, find_voice, speaker_of

PLAIN = ModelFacts(("en", "hi"), 22_050)
NAMED = ModelFacts(
    ("en", "hi"),
    16_000,
    (
        ModelVoice("amy", "en", "female"),
        ModelVoice("joe", "en", "male"),
        ModelVoice("ravi", "hi", "male"),
        ModelVoice("nobody", "hi", ""),
    ),
)


def test_a_model_without_names_has_two_voices_for_each_language() -> None:
    assert [one.id for one in PLAIN.voices] == ["en-female", "en-male", "hi-female", "hi-male"]
    assert len({one.id for one in NAMED.voices}) == len(NAMED.voices)


@pytest.mark.parametrize(
    ("facts", "name", "language"),
    [(PLAIN, "hi-male", "hi"), (NAMED, "ravi", "hi"), (NAMED, "amy", "en")],
)
def test_a_listed_voice_brings_its_language(facts: ModelFacts, name: str, language: str) -> None:
    chosen = choose_voice(facts, Voice("", "female", name), "en")
    assert chosen.language == language


@pytest.mark.parametrize(
    ("facts", "name", "gender"),
    [(PLAIN, "en-male", "male"), (NAMED, "joe", "male"), (NAMED, "nobody", "female")],
)
def test_a_listed_voice_brings_its_gender(facts: ModelFacts, name: str, gender: str) -> None:
    assert choose_voice(facts, Voice("", "female", name), "en").gender == gender


def test_without_any_word_the_default_speaks() -> None:
    assert choose_voice(PLAIN, Voice("", "female"), "en") == Voice("en", "female")
    assert choose_voice(PLAIN, Voice("", "female", "male"), "en") == Voice("en", "male")


def test_a_voice_of_the_engine_s_own_passes() -> None:
    chosen = choose_voice(PLAIN, Voice("en", "female", "en-us+f5"), "en")
    assert speaker_of(PLAIN, chosen, "en-GB") == "en-us+f5"
    # It speaks no other language.
    assert speaker_of(PLAIN, chosen, "hi") == "female"


@pytest.mark.parametrize("wanted", [Voice("en", "female", "ravi"), Voice("en", "male", "eve")])
def test_a_named_voice_must_exist_in_the_language(wanted: Voice) -> None:
    with pytest.raises(UnknownVoice) as error:
        choose_voice(NAMED, wanted, "en")
    assert "amy, joe" in error.value.detail
    assert error.value.members["errors"][0]["pointer"] == "/config/voice"


@pytest.mark.parametrize(
    ("facts", "voice", "language", "speaker"),
    [
        (PLAIN, Voice("en", "male"), "en", "male"),
        (PLAIN, Voice("hi", "female", "hi-male"), "hi", "male"),
        (PLAIN, Voice("hi", "female", "hi-male"), "en", "male"),
        (NAMED, Voice("en", "male"), "en", "joe"),
        (NAMED, Voice("en", "male"), "en-GB", "joe"),
        (NAMED, Voice("en", "female", "amy"), "en", "amy"),
        # A part in another language: a voice that speaks it, of the same gender if there is one.
        (NAMED, Voice("en", "female", "joe"), "hi", "ravi"),
        (NAMED, Voice("en", "female"), "hi", "ravi"),
        (NAMED, Voice("en", "female"), "fr", "female"),
    ],
)
def test_who_speaks(facts: ModelFacts, voice: Voice, language: str, speaker: str) -> None:
    assert speaker_of(facts, voice, language) == speaker


def test_a_gender_is_no_name() -> None:
    assert find_voice(PLAIN, "female") is None
    assert find_voice(PLAIN, None) is None
