"""Post processors, preferred phrases and quality, through the service with real speech."""

import base64
from typing import Any

import httpx
import jiwer
import pytest

from tests.support.recordings import Recording, recordings

INFERENCE = "/api/v1/asr/inference"
TRANSCRIBE = "/api/v1/asr/transcribe"
ILL_DISPOSED = next(one for one in recordings() if one.name == "0880")
AMIABLE = next(one for one in recordings() if one.name == "0930")


def output(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["output"][0]
    return found


def upload(service: Any, one: Recording, **fields: Any) -> httpx.Response:
    files = {"file": ("a.wav", one.path.read_bytes())}
    response: httpx.Response = service.client.post(TRANSCRIBE, files=files, data=fields)
    return response


def body(one: Recording, *, reference: str | None = None, **config: Any) -> dict[str, Any]:
    item = {"audioContent": base64.b64encode(one.path.read_bytes()).decode()}
    return {
        "audio": [item if reference is None else item | {"reference": reference}],
        "config": {"language": {"sourceLanguage": "en"}, **config},
    }


def test_punctuation_goes_through_words_segments_text_and_subtitles(service: Any) -> None:
    found = output(upload(service, AMIABLE, post_processors=["punctuation", "itn"]))
    assert found["source"] == "He might even have been made amiable himself."
    assert " ".join(word["word"] for word in found["words"]) == found["source"]
    assert [one["text"] for one in found["segments"]] == [found["source"]]
    subtitles = output(
        upload(service, AMIABLE, post_processors="punctuation", transcription_format="srt")
    )
    assert subtitles["source"].splitlines()[2] == found["source"]
    plain = output(upload(service, AMIABLE))
    assert plain["source"] == "he might even have been made amiable himself"
    times = [(word["start"], word["end"]) for word in plain["words"]]
    assert times == [(word["start"], word["end"]) for word in found["words"]]


def test_a_processed_request_is_found_again_as_it_was_answered(service: Any) -> None:
    response = service.client.post(INFERENCE, json=body(AMIABLE, postProcessors=["punctuation"]))
    with service.client_of("asr:read") as reader:
        stored = reader.get(f"/api/v1/asr/requests/{response.json()['id']}")
    assert stored.json()["output"][0]["source"] == output(response)["source"]


@pytest.mark.parametrize("name", ["itn", "punctuation"])
def test_a_language_without_rules(service: Any, name: str) -> None:
    document = body(AMIABLE, postProcessors=[name])
    document["config"]["language"] = {"sourceLanguage": "hi"}
    response = service.client.post(INFERENCE, json=document)
    assert (response.status_code, response.json()["code"]) == (422, "unsupported_processor")
    assert "served: en" in response.json()["detail"]


def test_quality_is_that_of_jiwer(service: Any) -> None:
    reference = "He was not an ill-disposed young man."
    fields = {"reference": reference, "post_processors": "punctuation"}
    found = output(upload(service, ILL_DISPOSED, **fields))
    quality = found["quality"]
    heard = found["source"].lower().strip(".")
    assert quality["wer"] == pytest.approx(jiwer.wer(ILL_DISPOSED.reference, heard), abs=1e-4)
    assert quality["cer"] == pytest.approx(jiwer.cer(ILL_DISPOSED.reference, heard), abs=1e-4)
    counts = [quality[name] for name in ("hits", "substitutions", "deletions")]
    assert sum(counts) == quality["reference_words"] == len(ILL_DISPOSED.reference.split())
    same = service.client.post(INFERENCE, json=body(ILL_DISPOSED, reference=reference))
    assert output(same)["quality"] == quality
    assert "quality" not in output(upload(service, AMIABLE))
    metrics = service.client.get("/metrics").text
    assert 'speechgate_asr_word_error_rate_count{model="asr",used="default"}' in metrics


@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [("?!", 422, "empty_reference"), ("x" * 50_001, 422, "validation_failed")],
)
def test_bad_references(service: Any, reference: str, status: int, code: str) -> None:
    for response in (
        upload(service, AMIABLE, reference=reference),
        service.client.post(INFERENCE, json=body(AMIABLE, reference=reference)),
    ):
        assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_long_reference_is_no_trouble(service: Any) -> None:
    found = output(upload(service, AMIABLE, reference="ähm " * 12_000))
    assert found["quality"]["reference_words"] == 12_000
    assert found["quality"]["wer"] == 1.0


def test_a_preferred_phrase_is_heard(service: Any) -> None:
    """What is misheard without it; and everything else is as it was before."""
    before = output(upload(service, ILL_DISPOSED, nbest=3))
    assert "ill disposed" not in before["source"]
    fields = {"boost": ["Ill-Disposed", "prudently"], "reference": ILL_DISPOSED.reference}
    boosted = output(upload(service, ILL_DISPOSED, **fields))
    assert "ill disposed" in boosted["source"]
    errors = jiwer.wer(ILL_DISPOSED.reference, before["source"])
    assert boosted["quality"]["wer"] < errors
    edges = [edge for word in boosted["words"] for edge in (word["start"], word["end"])]
    assert edges == sorted(edges)
    same = service.client.post(INFERENCE, json=body(ILL_DISPOSED, boost=fields["boost"]))
    assert output(same)["words"] == boosted["words"]
    assert output(upload(service, ILL_DISPOSED, nbest=3)) == before


@pytest.mark.parametrize(
    ("boost", "status", "code"),
    [
        (["covid 19"], 422, "invalid_parameter"),
        ([""], 422, "validation_failed"),
        (["x" * 65], 422, "validation_failed"),
        (["word"] * 101, 422, "validation_failed"),
        ([1], 422, "validation_failed"),
    ],
)
def test_bad_phrases(service: Any, boost: list[Any], status: int, code: str) -> None:
    response = service.client.post(INFERENCE, json=body(AMIABLE, boost=boost))
    assert (response.status_code, response.json()["code"]) == (status, code)
    if boost != [1]:  # In a form it is a text, and one that cannot be spoken.
        response = upload(service, AMIABLE, boost=boost)
        assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_model_that_takes_no_phrases(make_service: Any) -> None:
    # Another model stands for it: its configuration declares no such input.
    service = make_service(asr_models={"default": "sentiment"})
    document = body(AMIABLE, boost=["amiable"])
    response = service.client.post(INFERENCE, json=document)
    assert (response.status_code, response.json()["code"]) == (422, "unsupported_boost")
    assert response.json()["errors"][0]["pointer"] == "/config/boost"
