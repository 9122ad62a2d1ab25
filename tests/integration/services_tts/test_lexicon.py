"""The lexicon over HTTP, on both databases and the real model."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from services.tts.settings import TtsSettings
from tests.support.live_app import LiveApp

LEXICON = "/api/v1/tts/lexicon"
READ, WRITE, SPEAK = "tts:read", "organization:write", "tts:infer"
Serve = Callable[..., AbstractContextManager[LiveApp]]


@pytest.fixture
def client(app: LiveApp) -> Iterator[httpx.Client]:
    """A client of a tenant whose lexicon is empty afterwards."""
    with app.client(READ, WRITE, SPEAK, tenant="lexicographer") as client:
        yield client
        for entry in client.get(LEXICON, params={"limit": 200}).json()["items"]:
            client.delete(f"{LEXICON}/{entry['id']}")


def add(client: httpx.Client, phrase: str, alias: str, **more: Any) -> dict[str, Any]:
    response = client.post(LEXICON, json={"phrase": phrase, "alias": alias, **more})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def duration(client: httpx.Client, text: str) -> float:
    config = {"language": {"sourceLanguage": "en"}, "gender": "female"}
    response = client.post(
        "/api/v1/tts/inference", json={"input": [{"source": text}], "config": config}
    )
    assert response.status_code == 200, response.text
    seconds: float = response.json()["audio"][0]["duration"]
    return seconds


def test_an_entry_from_its_creation_to_its_end(client: httpx.Client) -> None:
    made = add(client, " SQL ", "sequel", language="en")
    assert set(made) == {"id", "phrase", "alias", "language", "createdAt", "updatedAt"}
    assert (made["phrase"], made["alias"], made["language"]) == ("SQL", "sequel", "en")
    place = f"{LEXICON}/{made['id']}"
    assert client.get(place).json() == made
    changed = client.put(place, json={"phrase": "SQL", "alias": "S Q L"}).json()
    assert (changed["alias"], changed["language"]) == ("S Q L", None)
    assert changed["createdAt"] == made["createdAt"]
    assert changed["updatedAt"] > made["updatedAt"]
    assert client.delete(place).status_code == 204
    for gone in (client.get(place), client.delete(place), client.put(place, json=SPELLING)):
        assert (gone.status_code, gone.json()["code"]) == (404, "lexicon_entry_not_found")


SPELLING = {"phrase": "a", "alias": "b"}


def test_pages_newest_first(client: httpx.Client) -> None:
    ids = [add(client, f"w{number}", "x", language="en")["id"] for number in range(5)]
    add(client, "w", "x", language="fr")
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "language": "en"}
    for _ in range(3):
        page = client.get(LEXICON, params=query).json()
        found += [entry["id"] for entry in page["items"]]
        query["cursor"] = page["next"]
    assert found == ids[::-1]
    assert page["next"] is None


def test_another_tenant_sees_nothing_of_it(app: LiveApp, client: httpx.Client) -> None:
    entry = add(client, "SQL", "sequel")
    place = f"{LEXICON}/{entry['id']}"
    with app.client(READ, WRITE, tenant="stranger") as stranger:
        assert stranger.get(LEXICON).json() == {"items": [], "next": None}
        foreign = [
            stranger.get(place),
            stranger.put(place, json={"phrase": "SQL", "alias": "mine"}),
            stranger.delete(place),
        ]
        absent = stranger.get(f"{LEXICON}/{'0' * 32}")
    same = ("code", "detail", "title", "type", "status")
    for response in foreign:
        assert response.status_code == 404
        assert [response.json()[key] for key in same] == [absent.json()[key] for key in same]
    assert client.get(place).json() == entry


def test_a_phrase_is_in_it_once_for_a_language(client: httpx.Client) -> None:
    add(client, "SQL", "sequel")
    other = add(client, "SQL", "esse cu elle", language="it")
    again = client.post(LEXICON, json={"phrase": "SQL", "alias": "squeal"})
    moved = client.put(f"{LEXICON}/{other['id']}", json={"phrase": "SQL", "alias": "squeal"})
    for refused in (again, moved):
        assert (refused.status_code, refused.json()["code"]) == (409, "lexicon_entry_exists")
    assert client.get(f"{LEXICON}/{other['id']}").json() == other


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"phrase": "a"}, "validation_failed"),
        ({"phrase": "", "alias": "b"}, "validation_failed"),
        ({"phrase": "a" * 101, "alias": "b"}, "validation_failed"),
        ({"phrase": "a", "alias": "b" * 201}, "validation_failed"),
        ({"phrase": "a", "alias": "b", "language": "english"}, "validation_failed"),
        ({"phrase": "a", "alias": "b", "tenant": "c"}, "validation_failed"),
        ({"phrase": 5, "alias": "b"}, "validation_failed"),
        ({"phrase": "?!", "alias": "b"}, "invalid_phrase"),
        ({"phrase": "a", "alias": "\u0001"}, "invalid_phrase"),
    ],
)
def test_bad_entries(client: httpx.Client, body: dict[str, Any], code: str) -> None:
    response = client.post(LEXICON, json=body)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert client.get(LEXICON).json()["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x", "language=EN"])
def test_bad_queries(client: httpx.Client, query: str) -> None:
    assert client.get(f"{LEXICON}?{query}").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", LEXICON, SPEAK),
        ("GET", f"{LEXICON}/{'0' * 32}", WRITE),
        ("POST", LEXICON, SPEAK),
        ("PUT", f"{LEXICON}/{'0' * 32}", READ),
        ("DELETE", f"{LEXICON}/{'0' * 32}", SPEAK),
    ],
)
def test_scopes(app: LiveApp, method: str, path: str, scope: str) -> None:
    with app.client(scope) as client:
        refused = client.request(method, path, json=SPELLING if method in {"POST", "PUT"} else None)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


def test_a_lexicon_is_bounded_even_if_many_add_at_once(settings: TtsSettings, serve: Serve) -> None:
    with serve(settings.model_copy(update={"tts_lexicon_entries": 3})) as running:
        asyncio.run(fill(running))


def test_it_is_bounded_on_postgresql_too(
    settings: TtsSettings, serve: Serve, postgres: Any
) -> None:
    url = postgres.create_database("speechgate_tts_lexicon")
    bounded = {"tts_lexicon_entries": 3, "database_url": url}
    with serve(settings.model_copy(update=bounded)) as running:
        asyncio.run(fill(running))


async def fill(running: LiveApp) -> None:
    headers = running.keys.headers("tts", READ, WRITE)
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
        first = await client.post(LEXICON, json={"phrase": "first", "alias": "x"})
        assert first.status_code == 201
        answers = await asyncio.gather(
            *(
                client.post(LEXICON, json={"phrase": f"w{number}", "alias": "x"})
                for number in range(8)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6
        refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
        assert refused == {"lexicon_full"}
        assert len((await client.get(LEXICON)).json()["items"]) == 3


def test_speech_follows_the_lexicon_at_once(client: httpx.Client) -> None:
    text = "Ask the zzyx now."
    plain = duration(client, text)
    entry = add(client, "zzyx", "department of very long and complicated names")
    assert duration(client, text) > plain + 1
    client.delete(f"{LEXICON}/{entry['id']}")
    assert duration(client, text) == pytest.approx(plain, abs=0.05)


def test_changes_and_reads_are_counted(app: LiveApp, client: httpx.Client) -> None:
    add(client, "SQL", "sequel")
    duration(client, "SQL")
    text = httpx.get(f"{app.url}/metrics").text
    assert 'speechgate_tts_lexicon_changes_total{change="created"}' in text
    assert 'speechgate_tts_lexicon_reads_total{source="database"}' in text
