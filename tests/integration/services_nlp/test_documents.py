"""Markup, placeholders and spelling through the real Apertium."""

import re
from typing import Any

import httpx
import pytest

from tests.support.live_app import LiveApp

# Which database it is makes no difference here.
pytestmark = pytest.mark.parametrize("app", ["sqlite"], indirect=True)
PATH = "/api/v1/nmt/inference"
HELD = ("{name}", "{{x}}", "%s", "%(x)d", "$VAR", "${x}", ":smile:", "https://e.example/a?b=c",
        "ana@e.example", "{n, plural, one {# day} other {# days}}", "%1$s")  # fmt: skip
PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>The red house</title>
<style>p { color: red }</style><script>if (a < b) { alert("The house") }</script></head>
<body class="home"><!-- The house is hidden -->
<h1 id="top">The house</h1>
<p>The <b>red</b> house is <a href="/old?a=1&amp;b=2" title="The house">very old</a>.
   It has two   doors &amp; a garden.</p>
<ul><li>The cat is old.</li><li translate="no">The cat is old.</li></ul>
<pre>The cat   is old.</pre>
<p>Use <code>house.open()</code> to open the house, {name}.<br/>The end &copy; 2024</p>
</body></html>
"""


def ask(app: LiveApp, *texts: str, source: str = "en", target: str = "es", **config: Any) -> Any:
    language = {"sourceLanguage": source, "targetLanguage": target}
    document = {
        "input": [{"source": text} for text in texts],
        "config": {"language": language, **config},
    }
    with app.client("nlp:infer") as client:
        return client.post(PATH, json=document)


def targets(app: LiveApp, *texts: str, **config: Any) -> list[str]:
    answer: httpx.Response = ask(app, *texts, **config)
    assert answer.status_code == 200, answer.text
    return [item["target"] for item in answer.json()["output"]]


@pytest.mark.parametrize(
    ("source", "target"), [("en", "es"), ("es", "en"), ("en", "ca"), ("hi", "ur")]
)
def test_every_placeholder_comes_back_once(app: LiveApp, source: str, target: str) -> None:
    frames = {
        "en": ("Hello {}, welcome to the house.", "The house of {} is big and {} is old."),
        "es": ("Hola {}, bienvenido a la casa.", "La casa de {} es grande y {} es viejo."),
        "hi": ("{} यह मेरा घर है।", "यह {} और {} मेरा घर है।"),
    }[source]
    texts = [frame.replace("{}", held) for held in HELD for frame in frames]
    for text, made in zip(texts, targets(app, *texts, source=source, target=target), strict=True):
        for held in HELD:
            assert made.count(held) == text.count(held), (text, made)


def test_a_page_keeps_its_markup(app: LiveApp) -> None:
    (made,) = targets(app, PAGE, format="html")
    (again,) = targets(app, PAGE, format="auto")
    assert made == again
    assert re.findall("<[^>]*>", made) == re.findall("<[^>]*>", PAGE)
    for kept in (
        'if (a < b) { alert("The house") }',
        "<!-- The house is hidden -->",
        '<li translate="no">The cat is old.</li>',
        "<pre>The cat   is old.</pre>",
        "<code>house.open()</code>",
        'title="The house"',
        "{name}",
        "&amp;",
    ):
        assert made.count(kept) == PAGE.count(kept), kept
    assert "<title>La casa roja</title>" in made
    assert "<li>El gato es viejo.</li>" in made
    assert '<h1 id="top">La casa</h1>' in made
    plain = re.sub("<[^>]*>", "", made)
    assert "casa" in plain
    assert "is" not in plain.replace("The cat   is old.", "").replace("The cat is old.", "").split()


def test_tags_do_not_cost_the_sentence(app: LiveApp) -> None:
    (made,) = targets(app, "<p>The <b>red</b> house is <i>old</i>.</p>", format="html")
    assert re.sub("</?[bi]>", "", made) == "<p>La casa roja es vieja.</p>"


def test_text_is_no_html_unless_it_is_said(app: LiveApp) -> None:
    made = targets(app, "The house &amp; the cat <ph/> sleep.")[0]
    assert made.count("&amp;") == made.count("<ph/>") == 1
    escaped = targets(app, "a &lt; b is the house", format="html")[0]
    assert "&lt;" in escaped
    assert "<" not in escaped


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("My name is Ana.", "en", "Mi nombre es Ana."),
        ("It\u2019s a house.", "en", "Es una casa."),
        ("The hou\u00adse is red.", "en", "La casa es roja."),
        ("The house \uff12\uff10\uff12\uff14.", "en", "La casa 2024."),
    ],
)
def test_spelling(app: LiveApp, text: str, source: str, expected: str) -> None:
    assert targets(app, text, source=source) == [expected]


@pytest.mark.parametrize(
    ("scripts", "status"),
    [
        ({"sourceScriptCode": "Deva", "targetScriptCode": "Arab"}, 200),
        ({"sourceScriptCode": "", "targetScriptCode": ""}, 200),
        ({"sourceScriptCode": "Latn"}, 422),
        ({"sourceScriptCode": "Devanagari"}, 422),
    ],
)
def test_scripts(app: LiveApp, scripts: dict[str, str], status: int) -> None:
    language = {"sourceLanguage": "hin", "targetLanguage": "urd", **scripts}
    document = {"input": [{"source": "घर"}], "config": {"language": language}}
    with app.client("nlp:infer") as client:
        answer = client.post(PATH, json=document)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("part", ["<b>", "{n}"])
def test_a_million_tags_or_placeholders_are_refused(app: LiveApp, part: str) -> None:
    answer = ask(app, part * 10**6, format="html")
    assert (answer.status_code, answer.json()["code"]) == (413, "text_too_long")


@pytest.mark.parametrize(
    ("part", "format_"),
    [("a<i>", "html"), ("<div>a", "html"), ("a {n} ", "text"), ("<b>a %s.", "text")],
)
def test_as_many_as_a_request_can_hold_come_back(app: LiveApp, part: str, format_: str) -> None:
    texts = [part * (4_900 // len(part))] * 20
    answer = ask(app, *texts, format=format_)
    if answer.status_code == 413:
        assert answer.json()["code"] == "too_many_sentences"
        return
    for item in answer.json()["output"]:
        for held in ("{n}", "%s", "<i>", "<div>", "<b>"):
            assert item["target"].count(held) == item["source"].count(held)
