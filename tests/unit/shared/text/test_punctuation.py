"""Punctuation and capitals by rule: what is written how, and what holds for any text."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text.punctuation import punctuate, punctuate_text
from shared.text.punctuation_lexicon import ACRONYMS, DANGLING, INTRODUCTIONS, TITLES
from tests.load.punctuation import GOALS, measure, read_aloud

VOCABULARY = sorted(
    {"do", "you", "is", "it", "what", "how", "many", "isn't", "may", "i", "i'm", "monday", "china"}
    | {"cat", "run", "5", "$5", "p.m.", "Mr.", "done.", "yes,", "really?", "iPhone", "united"}
    | {*list(DANGLING)[:20], *TITLES, *ACRONYMS, "states", "naïve", "...", "-", "(x)", "january"}
    | {word for words in INTRODUCTIONS for word in words}
)


@dataclass(frozen=True)
class Said:
    word: str
    start: float
    end: float
    confidence: float = 0.5


def respell(word: Said, text: str) -> Said:
    return replace(word, word=text)


def spoken(text: str) -> list[Said]:
    """Words of 0.3 s; `|0.5` is a pause."""
    words, now = [], 0.0
    for part in text.split():
        if part[0] == "|":
            now += float(part[1:])
            continue
        words.append(Said(part, now, now + 0.3))
        now += 0.3
    return words


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("hello world", "Hello world."),
        ("what is your name", "What is your name?"),
        ("how are you", "How are you?"),
        ("how many people did you see", "How many people did you see?"),
        ("which way is it", "Which way is it?"),
        ("why not go there", "Why not go there?"),
        ("where's the station", "Where's the station?"),
        ("who is there", "Who is there?"),
        ("do you know where he is", "Do you know where he is?"),
        ("and is it true", "And is it true?"),
        ("may i come in", "May I come in?"),
        ("can't you see it", "Can't you see it?"),
        ("it is nice isn't it", "It is nice, isn't it?"),
        ("what i mean is clear", "What I mean is clear."),
        ("when i was young i ran", "When I was young I ran."),
        ("what a day", "What a day."),
        ("do it now", "Do it now."),
        ("have a nice day", "Have a nice day."),
        ("may the best one win", "May the best one win."),
        ("had he known he would have come", "Had he known he would have come."),
        ("which is why we left", "Which is why we left."),
        ("how nice of you", "How nice of you."),
        ("i'm sure i've seen it", "I'm sure I've seen it."),
        ("well i think it is good but we are not sure",
         "Well, I think it is good, but we are not sure."),
        ("however little we know we go on", "However little we know we go on."),
        ("for example the dog ran", "For example, the dog ran."),
        ("no one came", "No one came."),
        ("no i did not", "No, I did not."),
        ("nothing but the truth", "Nothing but the truth."),
        ("on monday we fly from france to the united states",
         "On Monday we fly from France to the United States."),
        ("he speaks english and japanese", "He speaks English and Japanese."),
        ("china's rivers", "China's rivers."),
        ("we met in may", "We met in May."),
        ("they may march on", "They may march on."),
        ("on march 5 he came", "On March 5 he came."),
        ("mr bennet met dr jones", "Mr. Bennet met Dr. Jones."),
        ("the uk and the usa", "The UK and the USA."),
        ("come at 3:30 p.m.", "Come at 3:30 p.m."),
        ("is it at 3 p.m.", "Is it at 3 p.m.?"),
        ("$5 is enough", "$5 is enough."),
        ("i have an iPhone", "I have an iPhone."),
        ("It is done. so is this", "It is done. So is this."),
        ("", ""),
        ("...", "..."),
    ],
)  # fmt: skip
def test_texts(said: str, written: str) -> None:
    assert punctuate_text(said) == written
    assert punctuate_text(written) == written, "what is written already stays"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("we went to town |0.7 it was closed", "We went to town. It was closed."),
        ("we went to town |0.45 they stayed here", "We went to town. They stayed here."),
        ("we went to |0.9 the town |0.9 hall", "We went to the town. Hall."),
        ("he went home and |1.0 he slept", "He went home and he slept."),
        ("we saw more |0.7 than they did", "We saw more than they did."),
        ("yes |0.7 it is", "Yes, it is."),
        ("we have time |0.3 do you want it", "We have time. Do you want it?"),
        ("red |0.3 green |0.3 blue paint", "Red, green, blue paint."),
        ("he slept |0.15 and she went out", "He slept and she went out."),
        ("he slept well |0.15 and she went out", "He slept well, and she went out."),
        ("it goes on of |5 course", "It goes on of course."),
    ],
)
def test_pauses(said: str, written: str) -> None:
    found = punctuate(spoken(said), respell)
    assert " ".join(word.word for word in found) == written


def test_an_utterance_ends_a_sentence_unless_it_hangs_in_the_air() -> None:
    words = spoken("we went home they stayed here")
    assert [word.word for word in punctuate(words, respell, ends={2, 5})][2] == "home."
    hanging = spoken("we went to the town hall")
    assert [word.word for word in punctuate(hanging, respell, ends={3, 5})][3] == "the"


def test_times_and_words_that_need_nothing_are_the_same() -> None:
    words = spoken("Mr. Bennet went home.")
    assert all(one is other for one, other in zip(punctuate(words, respell), words, strict=True))


def letters(text: str) -> str:
    return "".join(one for one in text.lower() if one.isalnum())


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(VOCABULARY), st.sampled_from([0.0, 0.2, 0.5, 2.0]))))
def test_no_word_is_lost_or_respelled(pieces: list[tuple[str, float]]) -> None:
    words, now = [], 0.0
    for text, pause in pieces:
        words.append(Said(text, now, now + 0.25))
        now += 0.25 + pause
    once = punctuate(words, respell)
    assert [letters(word.word) for word in once] == [letters(word.word) for word in words]
    assert [(word.start, word.end) for word in once] == [(word.start, word.end) for word in words]
    assert punctuate(once, respell) == once


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert bool(punctuate_text(text)) == bool(text.split())


def test_prose_reaches_the_figures_that_are_promised() -> None:
    found = measure(read_aloud, runs=4)
    for kind, goal in GOALS.items():
        assert found[kind].f1 >= goal - 0.03, kind
