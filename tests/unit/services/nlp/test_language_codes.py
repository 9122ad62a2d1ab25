import pytest

from services.nlp.models.languages import Pair
from services.nlp.services.language_codes import (
    Variety,
    direction_of,
    label_of,
    language_label,
    plain_pair,
    variety,
)

SHORT = [Pair("en", "es"), Pair("hi", "ur"), Pair("en", "sd_Deva")]
FLORES = [
    Pair("eng_Latn", "hin_Deva"),
    Pair("eng_Latn", "kas_Deva"),
    Pair("eng_Latn", "kas_Arab"),
    Pair("eng_Latn", "zho_Hant"),
    Pair("eng_Latn", "zho_Hans"),
    Pair("eng_Latn", "bho_Deva"),
]


@pytest.mark.parametrize(
    ("code", "script", "expected"),
    [
        ("hi", None, Variety("hi")),
        ("HIN", None, Variety("hi")),
        ("hin_Deva", None, Variety("hi", "Deva")),
        ("en-GB", None, Variety("en")),
        ("zh-Hant-TW", None, Variety("zh", "Hant")),
        ("en", "latn", Variety("en", "Latn")),
        ("zh-Hans", "Hant", Variety("zh", "Hant")),
        ("bho", None, Variety("bho")),
    ],
)
def test_what_codes_stand_for(code: str, script: str | None, expected: Variety) -> None:
    assert variety(code, script) == expected


def test_labels_are_few() -> None:
    assert label_of(Pair("en-US", "hin_Deva"), FLORES) == "en-hi"
    assert label_of(Pair("en", "xyz"), []) == "any"
    assert [language_label(code) for code in ("hi", "bho", "xyz", None)] == [
        *("hi", "bho", "any", "any"),
    ]


def test_plain_codes_for_rows() -> None:
    assert plain_pair(Pair("en-US", "hin_Deva")) == Pair("en", "hi")


@pytest.mark.parametrize(
    ("pair", "scripts", "served", "expected"),
    [
        (Pair("en", "es"), (None, None), SHORT, SHORT[0]),
        (Pair("en-US", "spa"), ("Latn", "Latn"), SHORT, SHORT[0]),
        (Pair("hi", "ur"), ("Deva", "Arab"), SHORT, SHORT[1]),
        (Pair("hi", "ur"), ("Latn", None), SHORT, None),
        (Pair("en", "sd"), (None, None), SHORT, SHORT[2]),
        (Pair("en", "sd"), (None, "Arab"), SHORT, None),
        (Pair("en", "hi"), (None, None), FLORES, FLORES[0]),
        (Pair("en", "ks"), (None, None), FLORES, FLORES[2]),
        (Pair("en", "ks"), (None, "Deva"), FLORES, FLORES[1]),
        (Pair("en", "zh"), (None, None), FLORES, FLORES[4]),
        (Pair("en", "zh-Hant"), (None, None), FLORES, FLORES[3]),
        (Pair("en", "bho"), (None, "Deva"), FLORES, FLORES[5]),
        (Pair("en", "fr"), (None, None), FLORES, None),
        (Pair("en", "fr"), (None, None), [], Pair("en", "fr")),
    ],
)
def test_the_models_own_names(
    pair: Pair, scripts: tuple[str | None, str | None], served: list[Pair], expected: Pair | None
) -> None:
    assert direction_of(pair, scripts, served) == expected
