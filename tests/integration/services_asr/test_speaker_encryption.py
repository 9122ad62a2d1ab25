"""Stored voices: encrypted, bound to their place, and readable after a rotation."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from services.asr.rewrap import rewrap
from shared.crypto.keyring import new_key_line
from tests.support.known_speakers import (
    SCOPES,
    SPEAKERS,
    first_half,
    made,
    post,
    refused,
    second_half,
)
from tests.support.voices import Voice


def test_voices_are_encrypted_and_bound_to_their_place(
    keeper: Any, tenant: httpx.Client, voices: dict[str, Voice], rows: Any, execute: Any
) -> None:
    ann = made(tenant, "Ann", first_half(voices["reader"]))
    bob = made(tenant, "Bob", first_half(voices["commands"]))
    url = keeper.settings.database_url
    ids = [one["prototypes"][0]["id"] for one in (ann, bob)]
    stored = rows(url, "SELECT * FROM asr_speaker_prototypes ORDER BY id")
    before = [row for row in stored if row["id"] in ids]
    assert {row["key_id"] for row in before} == {"first"}
    # 256 numbers of 4 bytes, nonce and tag; and nothing that repeats.
    assert {len(row["ciphertext"]) for row in before} == {1024 + 12 + 16}
    assert before[0]["wrapped_key"] != before[1]["wrapped_key"]

    content = second_half(voices["reader"])
    for damage in (
        "UPDATE asr_speaker_prototypes SET ciphertext = :cipher, wrapped_key = :key WHERE id = :id",
        "UPDATE asr_speaker_prototypes SET ciphertext = :bad WHERE id = :id",
    ):
        values = {
            "id": ids[0],
            "cipher": before[1]["ciphertext"],
            "key": before[1]["wrapped_key"],
            "bad": bytes([before[0]["ciphertext"][0] ^ 1]) + bytes(before[0]["ciphertext"])[1:],
        }
        execute(url, damage, {name: values[name] for name in values if f":{name}" in damage})
        refused(post(tenant, "/identify", content), 500, "data_corrupted")
        whole = {"id": ids[0], "c": before[0]["ciphertext"], "k": before[0]["wrapped_key"]}
        execute(
            url,
            "UPDATE asr_speaker_prototypes SET ciphertext = :c, wrapped_key = :k WHERE id = :id",
            whole,
        )
    gone = {"id": ids[0]}
    execute(url, "UPDATE asr_speaker_prototypes SET key_id = 'lost' WHERE id = :id", gone)
    refused(post(tenant, "/identify", content), 500, "data_key_missing")
    # What needs no voice goes on: the list, and the deletion.
    assert len(tenant.get(SPEAKERS).json()["items"]) == 2
    assert tenant.delete(f"{SPEAKERS}/{ann['id']}").status_code == 204
    assert post(tenant, "/identify", content).json()["speakers"][0]["match"] is None


def test_a_row_moved_to_another_tenant_does_not_open(
    keeper: Any, tenant: httpx.Client, voices: dict[str, Voice], execute: Any
) -> None:
    ann = made(tenant, "Ann", first_half(voices["reader"]))
    url = keeper.settings.database_url
    for table, column in (("asr_speakers", "id"), ("asr_speaker_prototypes", "speaker_id")):
        statement = f"UPDATE {table} SET tenant_id = 'thief' WHERE {column} = :id"  # noqa: S608
        execute(url, statement, {"id": ann["id"]})
    with keeper.client_of(*SCOPES, tenant="thief") as thief:
        refused(post(thief, "/identify", second_half(voices["reader"])), 500, "data_corrupted")
        assert thief.delete(f"{SPEAKERS}/{ann['id']}").status_code == 204


def test_root_keys_are_rotated(
    make_service: Callable[..., Any], voices: dict[str, Voice], tmp_path: Path, rows: Any
) -> None:
    path = tmp_path / "keys"
    old, new = new_key_line("old"), new_key_line("new")
    path.write_text(old)
    before = make_service(data_key_file=path)
    speaker = made(before.client, "Ann", first_half(voices["reader"]))
    path.write_text(new + old)

    assert asyncio.run(rewrap(before.settings)) == 1
    assert asyncio.run(rewrap(before.settings)) == 0

    url = before.settings.database_url
    assert [row["key_id"] for row in rows(url, "SELECT key_id FROM asr_speaker_prototypes")] == [
        "new"
    ]
    path.write_text(new)  # The old key goes.
    after = make_service(data_key_file=path, database_url=url)
    found = post(after.client, "/identify", second_half(voices["reader"])).json()["speakers"]
    assert [one["match"]["id"] for one in found] == [speaker["id"]]
    # Whoever has only the old one is told so.
    refused(
        post(before.client, "/identify", second_half(voices["reader"])), 500, "data_key_missing"
    )


def test_without_a_key_no_voice_is_stored(service: Any, voices: dict[str, Voice]) -> None:
    content = first_half(voices["reader"])
    answer = post(service.client, "", content, name="A", consent="true")
    refused(answer, 503, "encryption_unconfigured")
    refused(post(service.client, "/identify", content), 503, "encryption_unconfigured")
    assert service.client.get(SPEAKERS).json()["items"] == []
