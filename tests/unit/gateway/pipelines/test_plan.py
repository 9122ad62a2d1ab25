from itertools import product
from typing import Any

import pytest

from gateway.services.pipelines.links import find_route
from gateway.services.pipelines.plan import IllegalPipeline, LanguagesDiffer, Task, make_plan
from shared.problem import InvalidField, SpeechgateError

EN_ES = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
CONFIGS: dict[str, dict[str, Any]] = {
    "asr": {"language": {"sourceLanguage": "en"}},
    "translation": EN_ES,
    "transliteration": {"language": {"sourceLanguage": "en", "targetLanguage": "en"}},
    "tts": {},
}
AUDIO, TEXTS = [{"audioContent": "AAAA"}], [{"source": "one"}]
LEGAL = {
    ("asr",),
    ("translation",),
    ("transliteration",),
    ("tts",),
    ("asr", "translation"),
    ("translation", "tts"),
    ("transliteration", "translation"),
    ("transliteration", "tts"),
    ("asr", "translation", "tts"),
    ("transliteration", "translation", "tts"),
}


def tasks(*kinds: str) -> list[tuple[str, dict[str, Any] | None]]:
    found: list[tuple[str, dict[str, Any] | None]] = []
    for kind in kinds:
        config = CONFIGS[kind]
        if kind == "tts" and not found:
            config = {"language": {"sourceLanguage": "en"}}
        found.append((kind, config))
    return found


@pytest.mark.parametrize("kinds", [kinds for n in (1, 2, 3) for kinds in product(Task, repeat=n)])
def test_every_chain_of_up_to_three(kinds: tuple[str, ...]) -> None:
    if tuple(map(str, kinds)) in LEGAL:
        plan = make_plan(tasks(*kinds), TEXTS, AUDIO)
        assert tuple(step.task for step in plan.steps) == kinds
        assert plan.items is (AUDIO if kinds[0] == "asr" else TEXTS)
    else:
        with pytest.raises(IllegalPipeline) as refused:
            make_plan(tasks(*kinds), TEXTS, AUDIO)
        assert refused.value.status == 400
        assert refused.value.code == "illegal_pipeline"


def test_an_unknown_task_is_named_by_its_place() -> None:
    with pytest.raises(IllegalPipeline) as refused:
        make_plan([*tasks("asr"), ("summary", {})], None, AUDIO)
    assert refused.value.members["errors"][0]["pointer"] == "/pipelineTasks/1"


@pytest.mark.parametrize("task", Task)
def test_every_task_has_a_public_route(task: Task) -> None:
    route = find_route(task)
    assert route.method == "POST"
    assert route.scope.endswith(":infer")


def test_a_language_that_is_left_out_is_that_of_the_task_before() -> None:
    given = [("asr", CONFIGS["asr"]), ("translation", {"language": {"targetLanguage": "es"}}),
             ("tts", {"gender": "male"})]  # fmt: skip
    plan = make_plan(given, None, AUDIO)
    assert [step.source for step in plan.steps] == ["en", "en", "es"]
    assert plan.steps[1].config["language"] == EN_ES["language"]
    assert plan.steps[2].config == {"gender": "male", "language": {"sourceLanguage": "es"}}
    assert given[2][1] == {"gender": "male"}, "what was given is left as it is"


@pytest.mark.parametrize(
    ("first", "second"), [("en", "fr"), ("en-US", "eng"), ("hi", "en")]
)  # fmt: skip
def test_languages_that_do_not_fit(first: str, second: str) -> None:
    translation = {"language": {"sourceLanguage": second, "targetLanguage": "es"}}
    given = [("asr", {"language": {"sourceLanguage": first}}), ("translation", translation)]
    with pytest.raises(LanguagesDiffer) as refused:
        make_plan(given, None, AUDIO)
    assert refused.value.status == 400
    where = "/pipelineTasks/1/config/language/sourceLanguage"
    assert refused.value.members["errors"][0]["pointer"] == where


def test_a_region_is_no_other_language() -> None:
    given = [("asr", {"language": {"sourceLanguage": "en-US"}}), ("translation", EN_ES),
             ("tts", {"language": {"sourceLanguage": "es_MX"}})]  # fmt: skip
    assert make_plan(given, None, AUDIO).steps[2].source == "es_MX"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ([("asr", None)], "/pipelineTasks/0/config/language/sourceLanguage"),
        ([("asr", {"language": "en"})], "/pipelineTasks/0/config/language"),
        (
            [("translation", {"language": {"sourceLanguage": "en"}})],
            "/pipelineTasks/0/config/language/targetLanguage",
        ),
        (
            [("asr", CONFIGS["asr"]), ("translation", {"language": {"targetLanguage": 7}})],
            "/pipelineTasks/1/config/language/targetLanguage",
        ),
        (
            [("tts", {"language": {"sourceLanguage": "x" * 36}})],
            "/pipelineTasks/0/config/language/sourceLanguage",
        ),
    ],
)
def test_a_missing_or_wrong_language(given: list[Any], pointer: str) -> None:
    with pytest.raises(InvalidField) as refused:
        make_plan(given, TEXTS, AUDIO)
    assert refused.value.members["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("kind", "texts", "audio", "pointer"),
    [
        ("asr", TEXTS, None, "/inputData/audio"),
        ("asr", TEXTS, [], "/inputData/audio"),
        ("translation", None, AUDIO, "/inputData/input"),
        ("translation", [{"source": "a"}] * 101, None, "/inputData/input"),
    ],
)
def test_the_first_task_needs_its_input(kind: str, texts: Any, audio: Any, pointer: str) -> None:
    with pytest.raises(InvalidField) as refused:
        make_plan(tasks(kind), texts, audio)
    assert refused.value.members["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("wanted", ["srt", {"value": "webvtt"}])
def test_subtitles_are_not_passed_on(wanted: Any) -> None:
    config = {**CONFIGS["asr"], "transcriptionFormat": wanted}
    assert make_plan([("asr", config)], None, AUDIO).steps[0].config == config
    with pytest.raises(SpeechgateError) as refused:
        make_plan([("asr", config), ("translation", EN_ES)], None, AUDIO)
    assert refused.value.code == "illegal_pipeline"
