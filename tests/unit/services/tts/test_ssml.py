"""The safe subset of SSML: what it means, and what is refused at once."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tts.models.script import Mark, Pause, Say, Script
from services.tts.services.scripting import write_script
from services.tts.services.ssml import looks_like_ssml, parse_ssml
from services.tts.services.ssml_values import pitch_of, rate_of, seconds_of, volume_of
from shared.problem import SpeechgateError
from tests.support.effort import least_seconds
from tests.support.ssml_attacks import ATTACKS, NAMESPACE, attack

POINTER = "/input/0/source"


def script(text: str, language: str = "en", **changes: Any) -> Script:
    given_: dict[str, Any] = {"markup": None, "limit": 400, "lexicon": {}, "pointer": POINTER}
    return write_script(text, language=language, **(given_ | changes))


def says(text: str, language: str = "en") -> list[str]:
    return [step.text for step in script(text, language) if isinstance(step, Say)]


def refusal(text: str) -> SpeechgateError:
    with pytest.raises(SpeechgateError) as refused:
        script(text, markup=True)
    assert refused.value.status in {413, 422}
    assert refused.value.members["errors"][0]["pointer"] == POINTER
    return refused.value


@pytest.mark.parametrize(
    "text",
    [
        "<speak>a</speak>",
        "  <speak version='1.0'>",
        "<?xml version='1.0'?><speak/>",
        "<SPEAK>",
        "<speak/>",
        "\n<speak>",
        "<!DOCTYPE speak>",
        "<!-- a --><speak>",
        "<ssml:speak>",
    ],
)
def test_ssml_is_known_by_its_beginning(text: str) -> None:
    assert looks_like_ssml(text)


@pytest.mark.parametrize("text", ["<speaker on>", "<b>bold</b>", "1 < 2", "a <speak> later", ""])
def test_other_text_is_plain(text: str) -> None:
    assert not looks_like_ssml(text)


def test_markup_can_be_forced() -> None:
    assert says("<speak>5</speak>") == ["five"]
    plain = script("<speak>5</speak>", markup=False)
    assert "speak" in plain[0].text  # type: ignore[union-attr] # a Say
    assert refusal("five").code == "ssml_malformed"


def test_a_whole_document() -> None:
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
    <!-- said to nobody -->
    <speak version="1.1" xmlns="{NAMESPACE}" xml:lang="en-US">
      <p><s>One sentence</s><s>And another &amp; more</s></p>
      <mark name="half"/>
      It costs <prosody rate="slow" pitch="+10%" volume="soft">$5</prosody>
      <break time="750ms"/><break strength="x-strong"/>
      <lang xml:lang="fr">Bonjour 21</lang>
      <sub alias="World Wide Web Consortium">W3C</sub> <![CDATA[<5]]>
    </speak>"""
    assert script(text) == (
        Say("One sentence", "One sentence", "en-US"),
        Say("And another and more", "And another & more", "en-US"),
        Mark("half"),
        Say("It costs", "It costs", "en-US", ends_sentence=False),
        Say("five dollars", "$5", "en-US", 0.75, 1.1, 0.5, ends_sentence=False),
        Pause(2.25),
        Say("Bonjour vingt et un", "Bonjour 21", "fr", ends_sentence=False),
        Say("World Wide Web Consortium less than five", "W3C <5", "en-US"),
    )


def test_paragraphs_and_sentences_end_what_is_said() -> None:
    steps = script("<speak><p>Dr</p><p><s>a</s> b <s>c</s></p></speak>")
    assert [(one.text, one.ends_sentence) for one in steps] == [  # type: ignore[union-attr] # Says
        ("Dr", True),
        ("a", True),
        ("b", True),
        ("c", True),
    ]


def test_what_interrupts_a_sentence_does_not_end_it() -> None:
    steps = script('<speak>Turn<mark name="m"/>left. <break time="1s"/>Now</speak>')
    assert steps == (
        Say("Turn", "Turn", ends_sentence=False),
        Mark("m"),
        Say("left.", "left."),
        Pause(1.0),
        Say("Now", "Now"),
    )


@pytest.mark.parametrize(
    ("inner", "spoken"),
    [
        ('<say-as interpret-as="cardinal">1,234</say-as>', "one thousand two hundred thirty-four"),
        ('<say-as interpret-as="number">7</say-as>', "seven"),
        ('<say-as interpret-as="ordinal">3</say-as>', "third"),
        ('<say-as interpret-as="digits">2024</say-as>', "two zero two four"),
        ('<say-as interpret-as="characters">a1-b</say-as>', "A one dash B"),
        ('<say-as interpret-as="spell-out">Cat</say-as>', "C.A.T."),
        (
            '<say-as interpret-as="date" format="dmy">3/4/2024</say-as>',
            "April third, twenty twenty-four",
        ),
        (
            '<say-as interpret-as="date" format="mdy">3/4/2024</say-as>',
            "March fourth, twenty twenty-four",
        ),
        (
            '<say-as interpret-as="date" format="ymd">2024-03-04</say-as>',
            "March fourth, twenty twenty-four",
        ),
        ('<say-as interpret-as="date" format="md">3/4</say-as>', "March fourth"),
        ('<say-as interpret-as="date" format="my">3/2024</say-as>', "March twenty twenty-four"),
        ('<say-as interpret-as="date">20240304</say-as>', "March fourth, twenty twenty-four"),
        ('<say-as interpret-as="date">Jan 5</say-as>', "January fifth"),
        ('<say-as interpret-as="date" format="md">99/99</say-as>', "ninety-nine ninety-ninths"),
        ('<say-as interpret-as="time">3:30pm</say-as>', "three thirty P.M."),
        (
            '<say-as interpret-as="telephone">5551234567</say-as>',
            "five five five, one two three, four five six seven",
        ),
        ('<say-as interpret-as="currency">$3.50</say-as>', "three dollars and fifty cents"),
        ('<say-as interpret-as="fraction">2+1/2</say-as>', "two and a half"),
        ('<say-as interpret-as="fraction">3/20</say-as>', "three twentieths"),
        ('<say-as interpret-as="unit">5km</say-as>', "five kilometers"),
        ('<say-as interpret-as="cardinal">many</say-as>', "many"),
        ('<sub alias="5 km">far</sub>', "five kilometers"),
    ],
)
def test_kinds_of_text(inner: str, spoken: str) -> None:
    assert says(f"<speak>It is {inner}, yes</speak>") == [f"It is {spoken}, yes"]


def test_kinds_of_text_in_other_languages() -> None:
    german = '<speak><say-as interpret-as="{}">{}</say-as></speak>'
    assert says(german.format("cardinal", "21"), "de") == ["einundzwanzig"]
    assert says(german.format("ordinal", "3"), "de") == ["dritte"]
    assert says(german.format("digits", "2024"), "de") == ["2 0 2 4"]
    assert says(german.format("characters", "EU"), "de") == ["E U"]


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (seconds_of, "500ms", 0.5),
        (seconds_of, "1.5s", 1.5),
        (seconds_of, "+2s", 2.0),
        (seconds_of, "5", None),
        (seconds_of, "-1s", None),
        (seconds_of, "1e9s", None),
        (rate_of, "x-slow", 0.5),
        (rate_of, "150%", 1.5),
        (rate_of, "+50%", 1.5),
        (rate_of, "-50%", 0.5),
        (rate_of, "1.25", 1.25),
        (rate_of, "0%", None),
        (rate_of, "500%", None),
        (rate_of, "NaN", None),
        (rate_of, "rapid", None),
        (pitch_of, "high", 1.2),
        (pitch_of, "+12st", 2.0),
        (pitch_of, "-2st", 0.8909),
        (pitch_of, "-10%", 0.9),
        (pitch_of, "+24st", None),
        (pitch_of, "120Hz", None),
        (volume_of, "silent", 0.0),
        (volume_of, "+6dB", 1.9953),
        (volume_of, "-6dB", 0.5012),
        (volume_of, "50%", 0.5),
        (volume_of, "+60dB", None),
    ],
)
def test_values(read: Any, text: str, value: float | None) -> None:
    assert read(text) == value


def test_nested_prosody_multiplies_and_stays_in_bounds() -> None:
    fast = '<prosody rate="200%" pitch="150%" volume="150%">'
    steps = script("<speak>" + fast * 3 + "a" + "</prosody>" * 3 + "</speak>")
    assert steps == (Say("a", "a", None, 4.0, 2.0, 2.0),)
    strong = script("<speak><emphasis level='strong'>a</emphasis></speak>")[0]
    assert isinstance(strong, Say)
    assert strong.speed < 1 < strong.volume


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS.keys())
def test_attacks_are_refused_at_once(text: str) -> None:
    assert least_seconds(lambda: refusal(text), 0.2) < 0.2
    error = refusal(text)
    assert error.code in {
        "ssml_malformed",
        "ssml_unsupported",
        "ssml_invalid_value",
        "ssml_too_complex",
        "text_too_long",
    }
    assert len(error.detail) < 200
    assert not any(secret in error.detail for secret in ("passwd", "169.254", "php", "mstts"))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("audio", "ssml_unsupported"),
        ("external entity", "ssml_unsupported"),
        ("billion laughs", "ssml_unsupported"),
        ("instruction", "ssml_unsupported"),
        ("prefix", "ssml_unsupported"),
        ("deeper than any text", "ssml_too_complex"),
        ("breaks", "text_too_long"),
        ("many elements", "ssml_too_complex"),
        ("long breaks", "ssml_too_complex"),
        ("one long break", "ssml_invalid_value"),
        ("not closed", "ssml_malformed"),
        ("undefined entity", "ssml_malformed"),
    ],
)
def test_each_refusal_has_its_code(name: str, code: str) -> None:
    assert refusal(ATTACKS[name]).code == code


def test_as_much_as_is_allowed() -> None:
    assert len(parse_ssml(attack('<break time="10s"/>' * 12), POINTER)) == 13
    assert parse_ssml(attack("<s/>" * 1_999), POINTER)
    assert parse_ssml(attack("<s>" * 15 + "</s>" * 15), POINTER)


@pytest.mark.parametrize("text", ["<speak/>", attack("<break/>"), attack("... "), attack("<p/>")])
def test_nothing_to_speak(text: str) -> None:
    assert refusal(text).code == "empty_text"


TAGS = [
    "<speak>",
    "</speak>",
    "<p>",
    "</p>",
    "<s>",
    "</s>",
    "<break/>",
    "<sub alias='5'>",
    "</sub>",
]
TAGS += ["<prosody rate='slow'>", "</prosody>", "<mark name='a'/>", "&amp;", "&x;", "<!--", "-->"]
TAGS += [
    "<![CDATA[",
    "]]>",
    "<?xml?>",
    "<!DOCTYPE a>",
    "5 km",
    "Dr.",
    "a",
    " ",
    ". ",
    "<",
    ">",
    "'",
]


@given(parts=st.lists(st.sampled_from(TAGS) | st.text(max_size=5), max_size=20))
@settings(max_examples=500, deadline=None)
def test_any_markup_is_written_or_refused(parts: list[str]) -> None:
    found: Script = ()
    refused = 0
    try:
        found = script("<speak>" + "".join(parts) + "</speak>", markup=True)
    except SpeechgateError as error:
        refused = error.status
    spoken = any(isinstance(step, Say) for step in found)
    assert refused in ({0} if spoken else {413, 422})
