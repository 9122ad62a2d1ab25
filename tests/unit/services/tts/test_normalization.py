"""How texts are spoken: a table of what is said how, and what holds for any text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tts.services.normalization import (
    FIXED,
    Fixed,
    join_source,
    join_spoken,
    normalize,
    normalize_text,
    numerals,
)
from shared.text.itn import normalize_text as written_of
from tests.support.effort import LINEAR, growth

LINES = Path(__file__).with_name("normalization_cases.txt").read_text().splitlines()
CASES = [tuple(line.split(" => ")) for line in LINES if not line.startswith("# ")]
ADVERSARIAL = [
    "1" * 10_000,
    "1 " * 5_000,
    "1," * 5_000,
    "1-" * 5_000,
    "1.1" * 3_333,
    "1:1" * 3_333,
    "1/1 " * 2_500,
    "$" * 10_000,
    "$1 " * 3_333,
    "$1-" * 3_333,
    "a" * 10_000,
    "A" * 10_000,
    "A." * 5_000,
    "A " * 5_000,
    "I " * 5_000,
    "a@" * 5_000,
    "a@a." * 2_500,
    "www." * 2_500,
    "a.com/" * 1_666,
    "http://" * 1_428,
    "(" * 10_000,
    "((1)) " * 1_666,
    "+1 " * 3_333,
    "+1 (555) 123-4567 " * 555,
    "000 " * 2_500,
    "555-" * 2_500,
    "Jan. " * 2_000,
    "Jan 1, " * 1_428,
    "St. " * 2_500,
    "Dr. X " * 1_666,
    "5 sq " * 2_000,
    "≥" * 10_000,
    "≥ " * 5_000,
    "½" * 10_000,
    "😀" * 10_000,
    "_" * 10_000,
    "— " * 5_000,
    "a" + "\u0301" * 9_999,
    "'" * 10_000,
    "1'1\" " * 2_000,
    "-" * 10_000,
    "MDCLXVI" * 1_428,
    FIXED * 10_000,
    " " * 10_000,
    "\u4e00\uff0c" * 5_000,
]


@pytest.mark.parametrize(("written", "spoken"), CASES, ids=[one[0] for one in CASES])
def test_english(written: str, spoken: str) -> None:
    assert normalize_text(written, "en") == spoken


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("105", "one hundred and five"),
        ("1,005", "one thousand and five"),
        ("3/4/2024", "the third of April twenty twenty-four"),
        ("January 5, 2024", "the fifth of January twenty twenty-four"),
        ("on 25/12", "on the twenty-fifth of December"),
    ],
)
@pytest.mark.parametrize("language", ["en-GB", "en_IN", "EN-au"])
def test_regions_read_in_their_own_way(written: str, spoken: str, language: str) -> None:
    assert normalize_text(written, language) == spoken


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("de", "Es kostet 5 €.", "Es kostet fünf Euro."),
        ("de", "1.234", "eintausendzweihundertvierunddreißig"),
        ("de", "3,5", "drei Komma fünf"),
        ("de", "-3", "minus drei"),
        ("de", "1 €", "ein Euro"),
        ("de", "0,5", "null Komma fünf"),
        ("de", "3,50 €", "drei Euro und fünfzig Cent"),
        ("es", "$21", "veintiún dólares"),
        ("es", "3,5", "tres coma cinco"),
        ("ru", "5 €", "пять евро"),
        ("cs", "5 €", "pět euro"),
        ("ja", "5 km", "5 km"),
        ("de", "50 %", "fünfzig Prozent"),
        ("fr", "le 21e siècle", "le vingt et unième siècle"),
        ("fr", "21", "vingt et un"),
        ("fr", "1 234,5 €", "mille deux cent trente-quatre euros et cinquante centimes"),
        ("es", "42 años", "cuarenta y dos años"),
        ("es-MX", "1,234", "mil doscientos treinta y cuatro"),
        ("es", "25%", "veinticinco por ciento"),
        ("it", "3º", "terzo"),
        ("pt", "15", "quinze"),
        ("ru", "25", "двадцать пять"),
        ("pl", "7", "siedem"),
        ("nl", "12", "twaalf"),
        ("sv", "12", "tolv"),
        ("tr", "5", "beş"),
        ("ja", "これは5です。", "これは5です。"),
        ("hi", "मेरे पास 5 किताबें हैं।", "मेरे पास 5 किताबें हैं।"),
        ("de", "007", "007"),
        ("de", "1.23.4", "1.23.4"),
        ("xx", "5 km", "5 km"),
        ("zh", "我有3个。", "我有3个。"),
    ],
)
def test_other_languages(language: str, written: str, spoken: str) -> None:
    assert normalize_text(written, language) == spoken


@pytest.mark.parametrize(
    "written",
    [
        *("23", "105", "999", "1,234", "12,345", "1,000,000", "3.14", "0.5", "1,234.5"),
        *("21st", "112th", "1984", "1905", "2024", "1980s", "5%", "12.5%"),
        *("$3.50", "$5", "$1,234.56", "€20", "£1.20", "₹500", "$3.5 million", "£5 billion"),
        *("5 km", "60 mph", "100 km/h", "25 °C", "3.5 GB", "10 m²"),
        *("3:30 p.m.", "11:59 p.m.", "9:05 a.m.", "January 5, 2024", "March 31, 1999"),
        *("January 2024", "555-123-4567", "555-1234", "1-800-555-1234"),
    ],
)
def test_the_words_are_read_back_as_they_were_written(written: str) -> None:
    """Speech recognition writes no punctuation, hence none comes back to the rules."""
    spoken = normalize_text(f"in {written}", "en").replace(",", "").lower()
    read = written_of(spoken).removeprefix("in ")
    expected = written if written != "1,000,000" else "1 million"
    assert read.replace(" ", "").rstrip(".") == expected.replace(" ", "").rstrip(".")


@given(value=st.integers(min_value=10, max_value=999_999_999_999))
@settings(max_examples=200, deadline=None)
def test_any_number_is_read_back(value: int) -> None:
    spoken = normalize_text(f"{value:,}", "en")
    read = written_of(f"about {spoken}").removeprefix("about ")
    scales = {"million": 10**6, "billion": 10**9, "trillion": 10**12}
    number, _, scale = read.partition(" ")
    assert int(number.replace(",", "")) * scales.get(scale, 1) == value


def test_pieces_hold_what_was_written() -> None:
    text = 'He paid "$3.50", on Jan. 5 — (555) 123-4567.'
    pieces = normalize(text, "en")
    assert join_source(pieces) == text
    said = {piece.source: piece.spoken for piece in pieces}
    assert said["Jan. 5"] == "January fifth"
    assert said['"$3.50",'] == '"three dollars and fifty cents",'
    assert said["(555) 123-4567."].startswith("five five five, ")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("1,0", "eins Komma null"),
        ("1", "eins"),
        ("1,50", "eins Komma fünf null"),
        ("1,5", "eins Komma fünf"),
        ("0,0000001", "null Komma null null null null null null eins"),
    ],
)
def test_each_written_digit_is_said_whatever_was_said_before(written: str, spoken: str) -> None:
    # Equal numbers, among them some that Python would write with an exponent.
    assert normalize_text(written, "de") == spoken


def test_the_whole_of_an_amount_is_said_however_large() -> None:
    spoken = normalize_text(f"It is ${'1' * 19}.50 now", "en")
    assert spoken == f"It is {'one ' * 19}dollars and fifty cents now"


def test_a_text_that_is_one_number_is_not_remembered() -> None:
    before = numerals._kept_number.cache_info().currsize
    normalize_text("1" + ",234" * 2_000, "en")
    assert numerals._kept_number.cache_info().currsize == before


def test_given_words_stay_as_they_are() -> None:
    pieces = normalize(
        f"Use {FIXED}, Dr. {FIXED}.", "en", [Fixed("SQL", "sequel"), Fixed("X", "5")]
    )
    assert join_spoken(pieces) == "Use sequel, Doctor 5."
    assert join_source(pieces) == "Use SQL, Dr. X."


@given(
    text=st.text(max_size=60)
    | st.text(alphabet="0123456789.,:/-–+$€%°'\"()#@&~<>≥½ aAsStTkKmMIVX", max_size=60),
    language=st.sampled_from(["en", "en-GB", "de", "fr-CH", "es_MX", "hi", "zh", "xx"]),
)
@settings(max_examples=1_000, deadline=None)
def test_any_text_is_spoken_within_bounds(text: str, language: str) -> None:
    pieces = normalize(text.replace(FIXED, ""), language)
    assert join_source(pieces).split() == text.replace(FIXED, "").split()
    assert len(join_spoken(pieces)) <= 16 * len(text) + 16


@given(text=st.text(alphabet=st.characters(categories=["Ll", "Lo", "Zs"]), max_size=60))
@settings(max_examples=200, deadline=None)
def test_plain_words_stay(text: str) -> None:
    lowered = text.lower()
    assert normalize_text(lowered, "xx") == " ".join(lowered.split())


@pytest.mark.parametrize("text", ADVERSARIAL, ids=lambda text: ascii(text[:12]))
@pytest.mark.parametrize("language", ["en", "de"])
def test_time_is_linear(text: str, language: str) -> None:
    long = 2 * text
    assert growth(lambda length: normalize(long[:length], language), 2_500) < LINEAR
    spoken = normalize(text[:10_000], language)
    assert len(join_spoken(spoken)) <= 16 * len(text) + 16
