"""What one organization can learn of another: nothing."""

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.routes import OWN_ROUTES
from shared.db.base import new_id
from tests.integration.gateway.admin.world import ADMIN, Sender, World
from tests.integration.gateway.harness import PASSWORD

# A valid body for each route that takes one.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/organizations/{id}"): {"name": "mine now"},
    ("PATCH", "/plans/{id}"): {"per_minute": 1},
    ("PATCH", "/users/{id}"): {"name": "mine now"},
    ("PATCH", "/keys/{id}"): {"name": "mine now"},
    ("POST", "/keys/{id}/rotate"): {"overlap_s": 0},
}
WITH_ID = [
    (route.method, route.template.removeprefix(ADMIN))
    for route in OWN_ROUTES
    if route.template.startswith(ADMIN) and "{id}" in route.template
]


@dataclass
class Neighbours:
    """Objects of one organization, and somebody powerful in another."""

    ids: dict[str, str]
    owner: Sender
    stranger: Sender


@pytest.fixture
async def neighbours(world: World) -> Neighbours:
    admin = await world.admin()
    plan = await admin.post("/plans", name=new_id())
    organization = await world.organization(plan["id"])
    owner = await world.user(organization.id, "organization_admin")
    key = await owner.post("/keys", name="k", scopes=["asr:infer"])
    # `*` is everything, inside one's own organization.
    stranger = world.key((await world.organization()).id, "*")
    ids = {"organizations": organization.id, "plans": plan["id"], "users": owner.id}
    return Neighbours({**ids, "keys": key["id"]}, owner, stranger)


@pytest.mark.parametrize(("method", "template"), WITH_ID)
async def test_anothers_object_is_a_missing_one(
    neighbours: Neighbours, method: str, template: str
) -> None:
    kind = template.split("/")[1]
    theirs = neighbours.ids[kind]
    missing = new_id()[: len(theirs)]
    body = BODIES.get((method, template))
    answers = []
    for object_id in (theirs, missing):
        path = template.replace("{id}", object_id)
        response = await neighbours.stranger.ask(method, path, body)
        problem = response.json()
        assert problem.pop("instance") == ADMIN + path
        answers.append((response.status_code, problem, response.headers["content-type"]))
    assert answers[0] == answers[1]
    # Plans are the platform's: nobody else gets as far as to look for one.
    assert answers[0][0] == (403 if kind == "plans" else 404)


async def test_lists_and_new_objects_stay_at_home(neighbours: Neighbours) -> None:
    stranger, theirs = neighbours.stranger, neighbours.ids["organizations"]
    for kind in ("keys", "users"):
        assert (await stranger.get(f"/{kind}"))["items"] == []
        answers = [
            await stranger.ask("GET", f"/{kind}?organization={tenant_id}")
            for tenant_id in (theirs, new_id())
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
    new_user = {"email": f"{new_id()}@example.org", "name": "n", "password": PASSWORD}
    new_key = {"name": "k", "scopes": ["asr:infer"]}
    for path, body in (("/users", new_user), ("/keys", new_key)):
        answers = [
            await stranger.ask("POST", path, {**body, "tenant_id": tenant_id})
            for tenant_id in (theirs, new_id())
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].content == answers[1].content
        made = await stranger.post(path, **body, tenant_id=stranger.tenant_id)
        assert made["tenant_id"] == stranger.tenant_id
    assert len((await neighbours.owner.get("/keys"))["items"]) == 1
    assert (await stranger.get("/plans"))["items"] == []
    assert await stranger.refused("GET", "/organizations") == (403, "scope_missing")


async def test_the_platforms_administrators_cross_by_naming_it(
    world: World, neighbours: Neighbours
) -> None:
    admin, theirs = await world.admin(), neighbours.ids["organizations"]
    assert (await admin.get("/keys"))["items"] == []
    for kind in ("keys", "users"):
        found = await admin.get(f"/{kind}?organization={theirs}")
        assert [item["id"] for item in found["items"]] == [neighbours.ids[kind]]
        assert (await admin.get(f"/{kind}/{neighbours.ids[kind]}"))["tenant_id"] == theirs
        missing = await admin.refused("GET", f"/{kind}?organization={new_id()}")
        assert missing == (404, "not_found")
    made = await admin.post("/keys", name="k", scopes=["*"], tenant_id=theirs)
    assert (made["tenant_id"], made["user_id"]) == (theirs, admin.id)
    seen = [item["id"] for item in (await neighbours.owner.get("/keys"))["items"]]
    assert made["id"] in seen


async def test_a_cursor_of_another_organization_opens_nothing(neighbours: Neighbours) -> None:
    owner, stranger = neighbours.owner, neighbours.stranger
    await owner.post("/keys", name="k", scopes=["asr:infer"])
    cursor = (await owner.get("/keys?limit=1"))["next"]
    assert cursor is not None
    assert (await stranger.get(f"/keys?cursor={cursor}"))["items"] == []
