"""Attempts to get at what belongs to somebody else, over the whole stack. None may succeed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from gateway.routes import OWN_ROUTES, ROUTES
from tests.e2e.conftest import client_of, make_key
from tests.support import badaudio
from tests.support.badaudio import asr_document

MISSING = "0" * 32
ASR, TTS, NMT = "/api/v1/asr", "/api/v1/tts", "/api/v1/nmt"
NLP = "/api/v1/nlp"


@dataclass
class Tenants:
    """Two organizations; the first one has an object of every kind."""

    mine: httpx.Client
    other: httpx.Client
    objects: dict[str, str]


def made(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


@pytest.fixture(scope="session")
def tenants(stack: Stack) -> Iterator[Tenants]:
    def client(name: str) -> httpx.Client:
        key = make_key(stack, "--name", name, "--tenant", name, "--scope", "*")
        return client_of(stack, key["key"])

    with client("victim") as mine, client("thief") as other:
        language = {"language": {"sourceLanguage": "en"}}
        text = {"input": [{"source": "The train is late."}], "config": language}
        translation = {
            **text,
            "config": {"language": {"sourceLanguage": "en", "targetLanguage": "es"}},
        }
        voice = {**text, "config": {**language, "gender": "female"}}
        yield Tenants(
            mine,
            other,
            {
                ASR: made(mine.post(f"{ASR}/inference", json=asr_document(badaudio.speech_wav()))),
                TTS: made(mine.post(f"{TTS}/inference", json=voice)),
                NMT: made(mine.post(f"{NMT}/inference", json=translation)),
                NLP: made(mine.post(f"{NLP}/sentiment/inference", json=text)),
            },
        )


def without_ids(answer: httpx.Response) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    return {name: problem[name] for name in problem if name not in ("request_id", "instance")}


@pytest.mark.parametrize("task", [ASR, TTS, NMT, NLP])
def test_another_tenants_object_is_as_absent_as_one_that_never_was(
    tenants: Tenants, task: str
) -> None:
    path = f"{task}/requests/"
    assert tenants.mine.get(path + tenants.objects[task]).status_code == 200
    theirs = tenants.other.get(path + tenants.objects[task])
    missing = tenants.other.get(path + MISSING)
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert without_ids(theirs) == without_ids(missing)


FORGED = {
    "X-SG-Identity": "forged",
    "X-SG-Model": "asr/1",
    "X-User-Id": "1",
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-User": "admin",
    "Forwarded": "for=127.0.0.1;by=gateway",
    "X-Real-IP": "127.0.0.1",
    "X-Original-URL": "/health",
    "X-Rewrite-URL": "/health",
    "X-HTTP-Method-Override": "GET",
}


def filled(template: str) -> str:
    """A path of a route, of an object that is not there."""
    return re.sub(r"{\w+}", MISSING, template)


def code_of(answer: httpx.Response) -> str:
    """The code of an error, in whichever dialect."""
    document = answer.json()
    detail = document.get("detail")
    kind = detail["kind"] if isinstance(detail, dict) else ""
    code: str = document.get("code") or document.get("error", {}).get("code") or kind
    return code


def test_no_route_answers_without_a_credential_whatever_headers_say(stack: Stack) -> None:
    operations = [(r.method, r.template) for r in ROUTES] + [
        (r.method, r.template) for r in OWN_ROUTES if r.permission is not None
    ]
    with client_of(stack, "") as client:
        for method, template in operations:
            path = filled(template)
            answer = client.request(method, path, headers=FORGED)
            assert answer.status_code == 401, (method, template, answer.text)
            assert code_of(answer) in {"key_missing", "invalid_api_key"}


def test_a_key_without_scopes_of_a_route_may_not_call_it(stack: Stack) -> None:
    operations = [(r.method, r.template, r.scope) for r in ROUTES if r.scope != "nlp:read"] + [
        (r.method, r.template, r.permission) for r in OWN_ROUTES if r.permission
    ]
    key = make_key(stack, "--name", "little", "--tenant", "little", "--scope", "nlp:read")
    with client_of(stack, key["key"]) as client:
        for method, template, _ in operations:
            path = filled(template)
            answer = client.request(method, path, headers=FORGED)
            assert answer.status_code == 403, (method, template, answer.text)


def test_everything_in_ones_own_organization_is_not_the_platform(tenants: Tenants) -> None:
    for route in OWN_ROUTES:
        if route.permission == "platform:admin":
            path = filled(route.template)
            answer = tenants.mine.request(route.method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


def test_services_answer_nobody_but_the_gateway(stack: Stack, tenants: Tenants) -> None:
    key = tenants.mine.headers["authorization"]
    for urls in stack.info.services.values():
        for url in urls:
            for headers in ({}, {"Authorization": key}, {"X-SG-Identity": key}, FORGED):
                answer = httpx.get(f"{url}/openapi.json", headers=headers, trust_env=False)
                assert answer.status_code == 401
