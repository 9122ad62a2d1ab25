import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.nlp.models.translation import TextFormat
from services.nlp.services.documents.flat import Flat
from services.nlp.services.documents.markup import html_parts, looks_like_html, text_parts
from services.nlp.services.layout import take_apart
from shared.text.clean import clean_text

PIECES = st.sampled_from(
    [
        *(
            "Hello world. ",
            "a",
            " ",
            "\n",
            "ж",
            "&amp;",
            "&eacute;",
            "&nope;",
            "&#233;",
            "&copyright",
            "&#233",
            "&notin;",
            "&",
            "<",
            ">",
        ),
        *("<b>", "</b>", "<p>", "</p>", "<br/>", '<a href="x>y">', "</a>", "<i", "<!-- c -->"),
        *("<!--", "-->", "<code>", "</code>", "<pre>", "</pre>", "<script>", "</script>", "'", '"'),
        *('<span translate="no">', "</span>", "<li class=notranslate>", "</li>", "<svg/>", "<svg>"),
        *(
            "{name}",
            "%s",
            "https://e.example/",
            "⟦0⟧",
            "zqaxz",
            "\ufffc",
            "<![CDATA[",
            "]]>",
            "<?x",
        ),
    ]
)
DOCUMENTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=100)


def spelled(parts: list[str | Flat]) -> str:
    return "".join(
        part if isinstance(part, str) else part.shown(0, len(part.text), part.tags)
        for part in parts
    )


def texts(html: str) -> list[str]:
    return [part.text for part in html_parts(html) if isinstance(part, Flat)]


def shout(html: str) -> str:
    """Translated by capitals, marks and all."""
    layout = take_apart(html, text_format=TextFormat.HTML)
    found = {text: text.upper() for text in layout.sentences()}
    for sentence in layout.broken(found):
        found |= {text: text.upper() for text in sentence.piece_texts()}
    return layout.rejoin(found)


@given(DOCUMENTS)
def test_parts_joined_are_the_document(document: str) -> None:
    assert spelled(html_parts(document)) == document
    assert spelled(text_parts(document)) == document


@given(DOCUMENTS, st.sampled_from(TextFormat))
def test_a_translator_that_changes_nothing_gives_the_same_bytes(
    document: str, text_format: TextFormat
) -> None:
    layout = take_apart(document, text_format=text_format)
    same = {text: text for text in layout.sentences()}
    assert layout.rejoin(same) == clean_text(document)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One.</p><p>Two <b>three</b>.</p>", ["One.", "Two three."]),
        ("a<br>b", ["a", "b"]),
        ("x<script>if (a < b) {}</script>y", ["xy"]),
        ("x<!-- <p>no</p> -->y", ["xy"]),
        ("<pre>keep</pre><textarea>me</textarea>out", ["out"]),
        ("Use <code>x</code> now", ["Use \ufffc now"]),
        ('Our <span translate="no">Acme <b>Inc</b></span> rules', ["Our \ufffc rules"]),
        ("<div class='a notranslate b'><div>no</div></div>yes", ["yes"]),
        ('<a title="translate=no">yes</a>', ["yes"]),
        ("Tom &amp; J&eacute;r&#244;me&nbsp;&lt;3", ["Tom & Jérôme\xa0<3"]),
        ("&copy 2024 &copyright &notit; &#233a &nope &amp", ["© 2024 ©right ¬it; éa &nope &"]),
        ('<a href="x" title="a > b">in</a>', ["in"]),
        ("line\nbreaks\r\nare spaces", ["line breaks  are spaces"]),
        ("5 < 6 and </3", ["5 < 6 and </3"]),
    ],
)
def test_where_text_is(html: str, expected: list[str]) -> None:
    assert texts(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Hello <b>big</b> world.</p>", "<p>HELLO <b>BIG</b> WORLD.</p>"),
        ("<b>Hello.</b> <i>You.</i>", "<b>HELLO.</b> <i>YOU.</i>"),
        ('<a href="#x">go &amp; see</a>', '<a href="#x">GO &amp; SEE</a>'),
        ("is a &lt; b &gt; c", "IS A &lt; B &gt; C"),
        ("caf&eacute; now", "CAFÉ NOW"),
        ("&copy2024 by Tom & &Eacutevelyn", "©2024 BY TOM &amp; ÉVELYN"),
        ("10&nbsp;km far", "10&nbsp;KM FAR"),
        ("use <code>x&lt;y</code> here", "USE <code>x&lt;y</code> HERE"),
        ("<style>p{}</style>go<wbr>od", "<style>p{}</style>GO<wbr>OD"),
        ("two\n   lines", "TWO LINES"),
        (
            "see {name} at https://e.example/a?b=c&amp;d",
            "SEE {name} AT https://e.example/a?b=c&amp;d",
        ),
        (
            "<table><tr><td>a</td><td>b</td></tr></table>",
            "<table><tr><td>A</td><td>B</td></tr></table>",
        ),
        ("ab<b", "AB<b"),
    ],
)
def test_only_text_is_translated(html: str, expected: str) -> None:
    assert shout(html) == expected


@given(DOCUMENTS)
def test_no_tag_is_lost_or_moved_past_another(document: str) -> None:
    def tags(html: str) -> list[str]:
        found: list[str] = []
        for part in html_parts(html):
            found += [part] if isinstance(part, str) else [tag.raw for tag in part.tags]
        return ["".join(found)]

    assert tags(shout(clean_text(document))) == tags(clean_text(document))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>x</p>", True),
        ("a <br/> b", True),
        ("<!DOCTYPE html>", True),
        ("a < b > c", False),
        ("<name> of <Foo>", False),
        ("", False),
    ],
)
def test_what_looks_like_html(text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert looks_like_html(text) is expected


@pytest.mark.parametrize(
    "part",
    [
        *(
            "<b>",
            "<a ",
            "<",
            "</",
            "<!--",
            "<p>a",
            '<a "',
            "<code>",
            "<script>",
            "<svg/>",
            "&amp;",
            "&a",
            "&notaaaa",
        ),
        *("<b>a</b>", "<p translate=no>", "<a b=c ", "{a}", "<x/>", "<![CDATA[", "a <b>b</b> {c} "),
    ],
)
def test_many_of_anything_take_linear_time(part: str) -> None:
    document = part * (50_000 // len(part))
    started = time.process_time()
    for text_format in (TextFormat.TEXT, TextFormat.HTML):
        layout = take_apart(document, text_format=text_format)
        layout.rejoin({text: text for text in layout.sentences()})
    assert time.process_time() - started < 5
