"""What a fuzzer meets behind a gateway: real objects, senders, values that mean something.

Values that only fit the schema are refused by the first thing that knows what they mean. So a part
of the requests is furnished: with ids of objects that exist, audio that can be decoded, languages
that are spoken here; another part is a request that is served, with one odd member.
"""

import base64
import copy
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from schemathesis.core import NotSet

from tests.support.api_bodies import (
    ABSENT,
    CHANGING,
    COLLECTIONS,
    MADE,
    MEANT,
    MOST,
    PASSWORD,
    USER_ROUTES,
    WINDOWS,
    served_bodies,
)
from tests.support.recordings import recordings
from tests.support.voices import converse, real_voices
from tests.support.wav import wav_bytes

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_PLAIN, _GRAFTED, _MEMBERS, _RENEWED, _FEW = 0.35, 0.7, 0.85, 0.15, 2
_OK, _CREATED, _NO_CONTENT, _UNAUTHORIZED = 200, 201, 204, 401
_NONE = "none"
_AUTH, _RULES = "/api/v1/auth", "/api/v1/nlp/conversation/rules"
_CALLS, _SPEAKERS = "/api/v1/calls/", "/api/v1/asr/speakers/"
Value = Callable[[Any], Any]


class World:
    """A tenant with one object of each kind, and its senders.

    Args:
        url: Of the gateway.
        key: Made with `UNLIMITED`.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._random = Random(1)
        self._numbers = itertools.count(1)
        self._addresses = itertools.cycle(f"127.0.0.{last}" for last in range(2, 200))
        self._ids: defaultdict[str, list[str]] = defaultdict(list)
        self._user: str | None = None
        self._tokens: dict[str, Any] | None = None
        self._rules: dict[str, Any] = {}
        self._speaker = _NONE
        speech = recordings()[0].samples()
        sound = wav_bytes(speech[8_000 : 8_000 + 9_600])
        self._encoded = encoded = base64.b64encode(sound).decode()
        self._bodies = served_bodies(sound, wav_bytes(speech[: 16_000 * 6]), encoded)
        self._values = self._changing() | {
            "file": lambda _: sound,
            "audioContent": lambda _: encoded,
            "language": lambda given: given if isinstance(given, dict) else "en",
            "input": lambda given: "Good morning." if isinstance(given, str) else given,
            **{name: _always(value) for name, value in MEANT.items()},
        }

    def fill(self) -> None:
        """Make one object of each kind."""
        by_name = {voice.name: voice for voice in real_voices()}
        talk = converse([by_name["reader"], by_name["commands"]], 3, seconds=12)
        call = {"file": ("call.wav", wav_bytes(talk.pcm[: 14 * 16_000]))}
        fields = {"num_speakers": "2", "first_speaker": "customer"}
        with self._client() as client:
            self._lift_limits(client)
            for path in (*MADE, *COLLECTIONS):
                self._make(client, path)
            for speaker in self._ids[_SPEAKERS]:  # The last one's can go.
                self._make(client, f"{_SPEAKERS}{{id}}/prototypes", speaker)
            for _ in range(2):  # One of them to be deleted.
                answer = client.post(f"{_CALLS}transcribe", files=call, data=fields)
                self._ids[_CALLS].append(answer.raise_for_status().json()["call_id"])
            self._rules = client.get(_RULES).json()["document"]
            version = client.put(_RULES, json=self._rules).raise_for_status().json()["version"]
            self._ids[f"{_RULES}/"].append(version)
            flags = client.get("/api/v1/feature-flags").json()["items"]
            self._ids["/api/v1/feature-flags/"] = [one["name"] for one in flags]
            models = client.get("/v1/models").json()["data"]
            self._ids["/v1/models/"] = [one["id"] for one in models]

    def _lift_limits(self, client: httpx.Client) -> None:
        """Its users have the organization's plan."""
        plan = {"name": self._values["name"](None)} | dict.fromkeys(WINDOWS, MOST)
        made = client.post("/api/v1/admin/plans", json=plan).raise_for_status().json()
        mine = client.get(f"{_AUTH}/me").raise_for_status().json()["organization_id"]
        place = f"/api/v1/admin/organizations/{mine}"
        client.patch(place, json={"plan_id": made["id"]}).raise_for_status()

    def prepare(self, case: Any) -> None:
        """Send a case of the fuzzer in somebody's name, and let it mean something at times."""
        label = case.operation.label
        case.headers["Authorization"] = f"Bearer {self._credential(label)}"
        drawn = self._random.random()
        if drawn < _PLAIN or case.method.upper() != case.operation.method.upper():
            return
        self._point(case)
        if not isinstance(case.body, dict):
            if drawn > _GRAFTED and not isinstance(case.body, NotSet):
                case.body = self._grafted(case.operation.path, {}) or case.body
        elif drawn > _GRAFTED:
            case.body = self._grafted(case.operation.path, case.body)
        else:
            self._furnish(case.body)
        body = case.body
        if case.media_type == "application/json" and isinstance(body, dict) and "file" in body:
            del body["file"]
            body["audioContent"] = self._encoded

    def learn(self, case: Any, status: int, content: bytes) -> None:
        """Note what an answer has made or ended."""
        path, label = case.operation.path, case.operation.label
        if label in USER_ROUTES and status in (_NO_CONTENT, _UNAUTHORIZED):
            self._tokens = None
            if path.endswith("/password"):
                self._user = None
        elif path == f"{_AUTH}/refresh" and status == _OK:
            self._tokens = json.loads(content)
        elif path == f"{_AUTH}/refresh":
            self._tokens = None  # A refresh token that is used twice ends its session.
        elif status in (_OK, _CREATED) and case.method.upper() == "POST":
            self._note(path, status, content)

    def _grafted(self, path: str, odd: MutableMapping[str, Any]) -> Any:
        """A body that is served, but for one member."""
        body = self._body(path)
        if body is None:
            return odd
        whole, names = body, list(odd)
        while names and self._random.random() < _MEMBERS:
            name = self._random.choice(names)
            inner = odd[name]
            if isinstance(inner, dict) and isinstance(body.get(name), dict) and inner:
                odd, body, names = inner, body[name], list(inner)
                continue
            body[name] = inner
            break
        return whole

    def _body(self, path: str) -> Any:
        """A body that is served."""
        if path == _RULES:
            return copy.deepcopy(self._rules)
        body = copy.deepcopy(self._bodies.get(path, {}))
        for name in CHANGING.get(path, ()):
            body[name] = self._values[name](None)
        if path == f"{_AUTH}/login":
            self._session()  # Makes the user.
            body = {"email": self._user, "password": PASSWORD}
        return body or None

    def _make(self, client: httpx.Client, path: str, of: str = "") -> None:
        body, place = self._body(path), path.replace("{id}", of)
        if "file" in body:
            content = body.pop("file")
            answer = client.post(place, files={"file": ("a.wav", content)}, data=body)
        else:
            answer = client.post(place, json=body)
        if answer.status_code != httpx.codes.CONFLICT:  # There can be only one.
            answer.raise_for_status()
            self._note(path, answer.status_code, answer.content)

    def _point(self, case: Any) -> None:
        """Let the path name objects that exist; one that goes is named once."""
        path, named = case.operation.path, dict[str, str]()
        for match in _VARIABLE.finditer(path):
            place = _VARIABLE.sub(lambda one: str(named.get(one.group(1))), path[: match.start()])
            last = match.end() == len(path)
            if case.method.upper() == "DELETE" and last:
                found = self._last(place)
            elif "{prototype_id}" in path:
                found = self._speaker_of_two()
            else:
                found = self._some(place)
            if found != _NONE:
                case.path_parameters[match.group(1)] = found
                named[match.group(1)] = found
        self._speaker = named.get("id", self._speaker)

    def _furnish(self, body: MutableMapping[str, Any]) -> None:
        """Put values that mean something into members that stand there, some of them."""
        for name in list(body):
            value = body[name]
            if name in ABSENT and self._random.random() < _MEMBERS:
                del body[name]
            elif name in self._values and self._random.random() < _MEMBERS:
                body[name] = self._values[name](value)
            else:
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, dict):
                        self._furnish(one)

    def _changing(self) -> dict[str, Value]:
        """Values that differ from request to request, and from world to world."""
        mark = uuid4().hex[:8]
        return {
            "name": lambda _: f"name {mark} {next(self._numbers)}",
            "email": lambda _: f"{mark}{next(self._numbers)}@example.org",
            "phrase": lambda _: f"phrase {next(self._numbers)}",
            "call_id": lambda _: self._some(_CALLS),
            "from": lambda _: self._last(_SPEAKERS),
            "prototypes": lambda _: [self._some(_prototypes(self._speaker))],
            "plan_id": lambda _: self._some("/api/v1/admin/plans/"),
            "refresh_token": lambda _: self._session()["refresh_token"],
        }

    def _last(self, place: str) -> str:
        """One that the request does away with."""
        known, path = self._ids[place], place[:-1]
        if len(known) < _FEW and path in COLLECTIONS and self._random.random() < _RENEWED:
            with self._client() as client:
                self._make(client, path)
        return known.pop() if len(known) >= _FEW else _NONE

    def _some(self, place: str) -> str:
        known = self._ids[place]
        return self._random.choice(known[-5:]) if known else _NONE

    def _speaker_of_two(self) -> str:
        """One that can do without a prototype."""
        many = [one for one in self._ids[_SPEAKERS] if len(self._ids[_prototypes(one)]) >= _FEW]
        return many[-1] if many else _NONE

    def _credential(self, label: str) -> str:
        if label not in USER_ROUTES:
            return self._key
        token: str = self._session()["access_token"]
        return token

    def _session(self) -> dict[str, Any]:
        if self._tokens is None:
            self._tokens = self._login()
        return self._tokens

    def _login(self) -> dict[str, Any]:
        """Begin a session, from an address of its own: logins are counted by address."""
        while True:
            with self._client(local_address=next(self._addresses)) as client:
                if self._user is None:
                    user = self._body("/api/v1/admin/users")
                    client.post("/api/v1/admin/users", json=user).raise_for_status()
                    self._user = user["email"]
                body = {"email": self._user, "password": PASSWORD}
                answer = client.post(f"{_AUTH}/login", json=body)
                if answer.status_code in (_UNAUTHORIZED, httpx.codes.TOO_MANY_REQUESTS):
                    # Its password was changed just now, or so many logins are its limit.
                    self._user = None
                    continue
                tokens: dict[str, Any] = answer.raise_for_status().json()
                client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
                sessions = client.get(f"{_AUTH}/sessions").raise_for_status().json()["items"]
                self._ids[f"{_AUTH}/sessions/"] = [one["id"] for one in sessions]
                return tokens

    def _note(self, path: str, status: int, content: bytes) -> None:
        place = MADE.get(path)
        if place is None and status != _CREATED:
            return
        document = json.loads(content)
        if "{" not in path:
            self._ids[place or f"{path}/"].append(document["id"])
        if "prototypes" in document:
            known = [one["id"] for one in document["prototypes"]]
            self._ids[_prototypes(document["id"])] = known

    @contextmanager
    def _client(self, local_address: str | None = None) -> Iterator[httpx.Client]:
        transport = httpx.HTTPTransport(local_address=local_address)
        headers = {"Authorization": f"Bearer {self._key}"}
        with httpx.Client(base_url=self._url, timeout=60, transport=transport) as client:
            client.headers.update(headers)
            yield client


def _prototypes(speaker: str) -> str:
    return f"{_SPEAKERS}{speaker}/prototypes/"


def _always(value: Any) -> Value:
    return lambda _: value
