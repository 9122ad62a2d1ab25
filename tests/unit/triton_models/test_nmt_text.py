import time
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

MODE = (
    "lt-proc '/data/my pair/a.bin' | apertium-tagger -g $2 '/data/a.prob' | "
    "lt-proc -z $1 '/data/g.bin'\n"
)


def test_a_mode_becomes_long_lived_stages(nmt_text: ModuleType) -> None:
    assert nmt_text.parse_mode(MODE) == [
        ["lt-proc", "-z", "/data/my pair/a.bin"],
        ["apertium-tagger", "-z", "-g", "/data/a.prob"],
        ["lt-proc", "-z", "-n", "/data/g.bin"],
    ]


@pytest.mark.parametrize(
    "mode",
    ["", "a | | b", "a 'b", "a > /etc/x", "a; b", "a && b", "a $(b)", "a `b`", "a $3", "(a)"],
)
def test_anything_but_a_pipeline_is_refused(nmt_text: ModuleType, mode: str) -> None:
    with pytest.raises(nmt_text.EngineError):
        nmt_text.parse_mode(mode)


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("Hello", b"Hello."),
        ("Hello.", b"Hello."),
        ("Really? ", b"Really? "),
        ("\u0918\u0930\u0964", "\u0918\u0930\u0964".encode()),
        ("a ^$/<>{}\\@[] b", rb"a \^\$\/\<\>\{\}\\\@\[\] b."),
        ("a  b\tc~d", b"a[  ]b[\t]c[~]d."),
        ("a\x01\x7fb", b"a[  ]b."),
        ("[~", rb"\[[~]."),
        ("a \u27e60\u27e7b", "a [\u27e60\u27e7]b.".encode()),
    ],
)
def test_encoding(nmt_text: ModuleType, line: str, data: bytes) -> None:
    assert nmt_text.encode(line).data == data


@given(st.text(max_size=200).filter(lambda text: "\n" not in text and "\r" not in text))
def test_a_pipeline_that_changes_nothing_gives_the_line_back(
    nmt_text: ModuleType, line: str
) -> None:
    payload = nmt_text.encode(line)
    assert b"\0" not in payload.data
    again = nmt_text.decode(payload.data, payload)
    assert len(again) == len(line)
    assert all(other in (one, " ") for one, other in zip(line, again, strict=True))


@pytest.mark.parametrize("part", ["[", " [", "] [", "\\", " ~", " \u27e60\u27e7", "[ .", "\t ["])
def test_no_text_takes_long_to_decode(nmt_text: ModuleType, part: str) -> None:
    line = part * (50_000 // len(part))
    started = time.process_time()
    payload = nmt_text.encode(line)
    nmt_text.decode(payload.data, payload)
    assert time.process_time() - started < 2


def test_lines_of_every_convention(nmt_text: ModuleType) -> None:
    assert nmt_text.lines_of("a\r\nb\n\nc\rd") == ["a", "b", "", "c", "d"]


@pytest.mark.parametrize(
    ("source", "target", "pair"),
    [(b"en", b"es", "en-es"), (b"EN-us", b"es_MX", "en-es"), (b"es", b"en", "es-en")],
)
def test_served_pairs(nmt_text: ModuleType, source: bytes, target: bytes, pair: str) -> None:
    assert nmt_text.check_pair(source, target, ["en-es", "es-en"]) == pair


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (b"en", b"en"),
        (b"en", b"fr"),
        (b"", b""),
        (b"en;id", b"es"),
        (b"en", b"es\n"),
        (b"\xff", b"es"),
    ],
)
def test_other_pairs(nmt_text: ModuleType, source: bytes, target: bytes) -> None:
    with pytest.raises(nmt_text.ClientError, match=r"^unsupported_language: en-es,es-en$"):
        nmt_text.check_pair(source, target, ["en-es", "es-en"])


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"a\0", "invalid_text"), (b"\xff", "invalid_text"), (b"a" * 5001, "text_too_long")],
)
def test_bad_texts(nmt_text: ModuleType, raw: bytes, code: str) -> None:
    with pytest.raises(nmt_text.ClientError, match=rf"^{code}:"):
        nmt_text.clean_text(raw)


def test_spaces_that_a_dropped_word_leaves_are_joined(nmt_text: ModuleType) -> None:
    assert nmt_text.decode(b"Tuvo  casado.", nmt_text.encode("x")) == "Tuvo casado"
    assert nmt_text.decode(b"a[  ]b  c[\n]", nmt_text.encode("x.")) == "a  b c\n"


@pytest.mark.parametrize(
    ("line", "reply", "text"),
    [
        ("My name is Ana.", b"Me llamo Ana .", "Me llamo Ana."),
        ("Ana", b"Ana .", "Ana"),
        ("Yes, Ana!", b"S\xc3\xad , Ana  !", "S\u00ed, Ana!"),
        ("Call \u27e60\u27e7Ana\u27e61\u27e7.", b"Llama [x]Ana [y].", "Llama xAnay."),
        # The client's own habit stays.
        ("Oui , Ana .", b"Si , Ana .", "Si , Ana ."),
        ("use .NET now.", b"usa .NET ahora .", "usa .NET ahora ."),
        ("end ", b"fin .", "fin "),
        # A pronoun that is dropped leaves its space.
        ("You have it.", b" Lo tienes.", "Lo tienes."),
        (" You have it.", b" Lo tienes.", " Lo tienes."),
    ],
)
def test_a_space_before_a_mark_is_the_clients_or_none(
    nmt_text: ModuleType, line: str, reply: bytes, text: str
) -> None:
    payload = nmt_text.encode(line)
    assert nmt_text.decode(reply, payload) == text
