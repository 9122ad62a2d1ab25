import time

import pytest

from services.nlp.services.documents.flat import Flat, Tag
from services.nlp.services.documents.terms import Terms


def said(text: str, entries: dict[str, str], tags: tuple[Tag, ...] = ()) -> list[tuple[str, str]]:
    flat = Flat(text, text, {}, tags)
    return [(text[span.start : span.end], span.shown or "") for span in Terms(entries).find(flat)]


@pytest.mark.parametrize(
    ("text", "entries", "expected"),
    [
        ("The gateway is up", {"gateway": "pasarela"}, [("gateway", "pasarela")]),
        ("gateways, subgateway, gateway-like", {"gateway": "pasarela"}, []),
        ("Gateway and GATEWAY", {"gateway": "pasarela"}, [
            ("Gateway", "Pasarela"), ("GATEWAY", "Pasarela"),
        ]),
        ("user  name of a user", {"user name": "usuario", "user": "cliente"}, [
            ("user  name", "usuario"), ("user", "cliente"),
        ]),
        ("the user's e-mail", {"user": "cliente", "mail": "correo", "e-mail": "correo-e"}, [
            ("user", "cliente"), ("e-mail", "correo-e"),
        ]),
        ("मेरा घर है", {"घर": "گھر", "मे": "x"}, [("घर", "گھر")]),
        ("C++ and C", {"C++": "ce más más"}, [("C++", "ce más más")]),
    ],
)  # fmt: skip
def test_whole_words_longest_first(
    text: str, entries: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert said(text, entries) == expected


def test_a_term_that_a_tag_cuts_is_none() -> None:
    entries = {"user name": "usuario"}
    assert said("user name", entries, (Tag(5, "<b>"),)) == []
    assert said("user name", entries, (Tag(0, "<b>"), Tag(9, "</b>"))) == [("user name", "usuario")]


def test_terms_that_begin_alike_take_linear_time() -> None:
    text = "a+" * 25_000
    entries = {"a+" * half + end: "x" for half in range(1, 50) for end in ("b", "b b", "c")}
    started = time.process_time()
    assert said(text, {**entries, "a+a": "y"})[0] == ("a+a", "y")
    assert said(text, entries) == []
    blanks = ("a" + " " * 500) * 100 + "b"
    tags = tuple(Tag(place, "<b>") for place in range(0, len(blanks), 3))
    assert said(blanks, {"a " * count + "a": "x" for count in range(1, 10)}, tags) == []
    assert time.process_time() - started < 5


def test_a_term_of_very_many_words_is_none() -> None:
    entries = {"a " * 19 + "a": "x", "b " * 20 + "b": "x"}
    assert len(Terms(entries)) == 1


def test_what_is_put_into_html_is_escaped() -> None:
    flat = Flat("a b", "a b", {}, html=True)
    (span,) = Terms({"b": "<x> & y"}).find(flat)
    assert span.shown == "&lt;x&gt; &amp; y"
