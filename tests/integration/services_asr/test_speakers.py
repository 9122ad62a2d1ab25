"""Known speakers of tenants, on the real models and both databases."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.support.known_speakers import (
    SCOPES,
    SPEAKERS,
    first_half,
    made,
    post,
    refused,
    second_half,
)
from tests.support.voices import Voice, converse
from tests.support.wav import wav_bytes


def test_a_speaker_is_kept_found_renamed_and_forgotten(
    keeper: Any, tenant: httpx.Client, voices: dict[str, Voice], rows: Any
) -> None:
    speaker = made(tenant, " Ann ", first_half(voices["reader"]))
    path = f"{SPEAKERS}/{speaker['id']}"

    assert speaker["name"] == "Ann"
    assert speaker["consent_at"] == speaker["created_at"]
    assert [one["speech_seconds"] >= 3 for one in speaker["prototypes"]] == [True]
    assert tenant.get(path).json() == speaker
    assert tenant.get(SPEAKERS).json() == {"items": [speaker], "next": None}

    renamed = tenant.patch(path, json={"name": "Anna"}).json()
    assert renamed["name"] == "Anna"
    assert renamed["updated_at"] > speaker["updated_at"]

    assert tenant.delete(path).status_code == 204
    refused(tenant.get(path), 404, "speaker_not_found")
    refused(tenant.delete(path), 404, "speaker_not_found")
    url = keeper.settings.database_url
    left = f"FROM asr_speakers WHERE id = '{speaker['id']}'"
    assert rows(url, f"SELECT id {left}") == []
    kept = "SELECT wrapped_key FROM asr_speaker_prototypes WHERE id = "
    assert rows(url, f"{kept}'{speaker['prototypes'][0]['id']}'") == []


@pytest.mark.parametrize("fields", [{}, {"consent": "false"}])
def test_without_consent_nothing_is_stored(
    tenant: httpx.Client, voices: dict[str, Voice], fields: dict[str, str]
) -> None:
    answer = post(tenant, "", first_half(voices["reader"]), name="Ann", **fields)
    refused(answer, 422, "consent_required")
    assert tenant.get(SPEAKERS).json()["items"] == []


def test_a_recording_must_be_of_one_voice_and_long_enough(
    tenant: httpx.Client, voices: dict[str, Voice]
) -> None:
    short = wav_bytes(voices["reader"].pcm()[: 16_000 * 2])
    refused(post(tenant, "", short, name="A", consent="true"), 422, "speech_too_short")
    silence = wav_bytes([0] * 160_000)
    refused(post(tenant, "", silence, name="A", consent="true"), 422, "speech_too_short")
    two = wav_bytes(converse([voices["reader"], voices["commands"]], 3, seconds=12).pcm)
    refused(post(tenant, "", two, name="A", consent="true"), 422, "several_speakers")
    noise = post(tenant, "", b"no audio", name="A", consent="true")
    assert 400 <= noise.status_code < 500
    for fields in ({"consent": "true"}, {"name": " ", "consent": "true"}, {"name": "A", "b": "c"}):
        refused(post(tenant, "", short, **fields), 422, "validation_failed")
    refused(
        tenant.post(SPEAKERS, data={"name": "A"}, files={"other": b""}), 422, "validation_failed"
    )


def test_who_is_known_is_recognized_and_who_is_not_is_unknown(
    tenant: httpx.Client, voices: dict[str, Voice]
) -> None:
    ann = made(tenant, "Ann", first_half(voices["reader"]))
    bob = made(tenant, "Bob", first_half(voices["commands"]))
    parts = [voices["reader"].part(0.6, 0.8).pcm(), voices["cards"].part(0.5, 1).pcm()]
    content = wav_bytes(np.concatenate(parts))

    found = post(tenant, "/identify", content, num_speakers="2").json()["speakers"]

    matches = {one["match"]["name"] if one["match"] else None for one in found}
    assert matches == {"Ann", None}
    for one in found:
        assert {candidate["id"] for candidate in one["candidates"]} == {ann["id"], bob["id"]}
        scores = [candidate["score"] for candidate in one["candidates"]]
        assert scores == sorted(scores, reverse=True)

    # The same in a transcription, where it is stored without the name.
    answer = tenant.post(
        "/api/v1/asr/transcribe",
        files={"file": ("a.wav", content)},
        data={"identify_speakers": "true", "num_speakers": "2"},
    ).json()
    speakers = answer["output"][0]["speakers"]
    assert sorted(one["identity"] for one in speakers) == ["known", "unknown"]
    known = next(one["known"] for one in speakers if one["identity"] == "known")
    assert (known["id"], known["name"]) == (ann["id"], "Ann")
    stored = tenant.get(f"/api/v1/asr/requests/{answer['id']}")
    assert "Ann" not in stored.text
    assert known["id"] in stored.text

    tenant.delete(f"{SPEAKERS}/{ann['id']}")
    found = post(tenant, "/identify", second_half(voices["reader"])).json()["speakers"]
    assert [one["match"] for one in found] == [None]


def test_prototypes_come_and_go(tenant: httpx.Client, voices: dict[str, Voice]) -> None:
    ann = made(tenant, "Ann", first_half(voices["reader"]))
    path = f"/{ann['id']}/prototypes"

    alike = post(tenant, path, second_half(voices["reader"])).json()
    strange = post(tenant, path, first_half(voices["commands"])).json()

    assert len(strange["prototypes"]) == 3
    assert alike["similarity"] > 0.8 > strange["similarity"]
    # Any of them is enough.
    found = post(tenant, "/identify", second_half(voices["commands"])).json()["speakers"]
    assert [one["match"]["name"] for one in found] == ["Ann"]

    ids = [one["id"] for one in strange["prototypes"]]
    assert tenant.delete(f"{SPEAKERS}{path}/{ids[2]}").status_code == 204
    refused(tenant.delete(f"{SPEAKERS}{path}/{ids[2]}"), 404, "prototype_not_found")
    found = post(tenant, "/identify", second_half(voices["commands"])).json()["speakers"]
    assert [one["match"] for one in found] == [None]
    assert tenant.delete(f"{SPEAKERS}{path}/{ids[0]}").status_code == 204
    refused(tenant.delete(f"{SPEAKERS}{path}/{ids[1]}"), 409, "last_prototype")


def test_speakers_are_merged_and_split(tenant: httpx.Client, voices: dict[str, Voice]) -> None:
    ann = made(tenant, "Ann", first_half(voices["reader"]))
    two = made(tenant, "Ann 2", second_half(voices["reader"]))
    path = f"{SPEAKERS}/{ann['id']}"

    refused(tenant.post(f"{path}/merge", json={"from": ann["id"]}), 422, "same_speaker")
    merged = tenant.post(f"{path}/merge", json={"from": two["id"]}).json()
    own = [one["id"] for one in ann["prototypes"] + two["prototypes"]]
    assert [one["id"] for one in merged["prototypes"]] == own
    refused(tenant.get(f"{SPEAKERS}/{two['id']}"), 404, "speaker_not_found")
    # The voices still open: they are bound to their tenant and id, not to the speaker.
    found = post(tenant, "/identify", second_half(voices["reader"])).json()["speakers"]
    assert found[0]["match"]["id"] == ann["id"]

    everything = {"prototypes": own, "name": "Eve"}
    refused(tenant.post(f"{path}/split", json=everything), 409, "last_prototype")
    unknown = {"prototypes": [ann["id"]], "name": "Eve"}
    refused(tenant.post(f"{path}/split", json=unknown), 404, "prototype_not_found")
    eve = tenant.post(f"{path}/split", json={"prototypes": own[1:], "name": "Eve"})
    assert eve.status_code == 201
    assert [one["id"] for one in eve.json()["prototypes"]] == own[1:]
    assert eve.json()["consent_at"] == ann["consent_at"]
    assert [one["id"] for one in tenant.get(path).json()["prototypes"]] == own[:1]


def test_another_tenants_speaker_is_not_there(
    keeper: Any, tenant: httpx.Client, voices: dict[str, Voice]
) -> None:
    mine = made(tenant, "Ann", first_half(voices["reader"]))
    path, prototype = f"{SPEAKERS}/{mine['id']}", mine["prototypes"][0]["id"]
    with keeper.client_of(*SCOPES, tenant="stranger") as stranger:
        missing = stranger.get(f"{SPEAKERS}/{'0' * 32}")
        theirs = made(stranger, "Bob", first_half(voices["commands"]))
        answers = [
            stranger.get(path),
            stranger.patch(path, json={"name": "Mine"}),
            stranger.delete(path),
            post(stranger, f"/{mine['id']}/prototypes", second_half(voices["reader"])),
            stranger.delete(f"{path}/prototypes/{prototype}"),
            stranger.post(f"{path}/merge", json={"from": theirs["id"]}),
            stranger.post(f"{SPEAKERS}/{theirs['id']}/merge", json={"from": mine["id"]}),
            stranger.post(f"{path}/split", json={"prototypes": [prototype], "name": "Mine"}),
        ]
        assert {answer.status_code for answer in answers} == {404}
        body = {**missing.json(), "instance": "", "request_id": ""}
        for answer in answers:
            assert {**answer.json(), "instance": "", "request_id": ""} == body
        found = post(stranger, "/identify", second_half(voices["reader"])).json()["speakers"]
        assert [one["match"] for one in found] == [None]
        assert [one["id"] for one in stranger.get(SPEAKERS).json()["items"]] == [theirs["id"]]
        stranger.delete(f"{SPEAKERS}/{theirs['id']}")
    assert tenant.get(path).json() == mine


def test_the_list_has_pages_and_an_end(tenant: httpx.Client, voices: dict[str, Voice]) -> None:
    content = first_half(voices["cards"])
    ids = [made(tenant, str(number), content)["id"] for number in range(3)]
    refused(post(tenant, "", content, name="4", consent="true"), 409, "too_many_speakers")

    first = tenant.get(SPEAKERS, params={"limit": 2}).json()
    second = tenant.get(SPEAKERS, params={"limit": 2, "cursor": first["next"]}).json()

    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    for params in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}):
        assert tenant.get(SPEAKERS, params=params).status_code == 422


def test_each_right_is_needed(keeper: Any, voices: dict[str, Voice]) -> None:
    content = first_half(voices["cards"])
    with keeper.client_of("speakers:read", tenant="rights") as client:
        assert client.get(SPEAKERS).status_code == 200
        refused(post(client, "", content, name="A", consent="true"), 403, "scope_missing")
        refused(client.delete(f"{SPEAKERS}/{'0' * 32}"), 403, "scope_missing")
    with keeper.client_of("speakers:write", tenant="rights") as client:
        refused(client.get(SPEAKERS), 403, "scope_missing")
        refused(post(client, "/identify", content), 403, "scope_missing")
