"""What the whole admin API shares: refusals of what does not fit, and lists in pages."""

import pytest

from shared.db.base import new_id
from tests.integration.gateway.admin.given import NEW_USER
from tests.integration.gateway.admin.world import World
from tests.integration.gateway.harness import PASSWORD


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", {"email": "no address", **NEW_USER}),
        ("/users", {"email": "a@example.org", **NEW_USER, "rolls": []}),
        ("/users", {"email": "a@example.org", "name": "a\nb", "password": PASSWORD}),
        ("/users", {"email": "a@example.org", "name": "a", "password": "short"}),
        ("/users", {"email": "a@example.org", "name": "a", "password": "x" * 1025}),
        ("/users", {"email": "a@example.org", **NEW_USER, "tenant_id": "a\u0000b"}),
        ("/plans", {"name": "p", "per_minute": 0}),
        ("/plans", {"name": "p", "per_minute": "5"}),
        ("/plans", {"name": "p", "per_minute": 10**12}),
        ("/plans", {"name": " "}),
        ("/organizations", {"name": "x" * 101}),
        ("/organizations", {}),
        ("/keys", {"name": "k", "scopes": []}),
        ("/keys", {"name": "k", "scopes": ["asr:everything"]}),
        ("/keys", {"name": "k", "scopes": ["*"], "limits": {"per_second": 1}}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "2020-01-01T00:00:00Z"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "9999-12-31T23:59:59-23:00"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": "2030-01-01T00:00:00"}),
        ("/keys", {"name": "k", "scopes": ["*"], "expires_at": 4_000_000_000}),
        ("/keys", {"name": "k", "scopes": ["*"], "models": ["../x y"]}),
    ],
)
async def test_what_does_not_fit_is_422(world: World, path: str, body: dict[str, object]) -> None:
    sender = world.key((await world.organization()).id, "*", "platform:admin")
    response = await sender.ask("POST", path, body)
    assert response.status_code == 422, response.text
    assert PASSWORD not in response.text


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "cursor=x", "organization=%00"])
async def test_bad_queries_are_422(world: World, query: str) -> None:
    admin = await world.admin()
    for path in ("/users", "/keys"):
        assert (await admin.refused("GET", f"{path}?{query}"))[0] == 422


async def test_lists_come_in_pages(world: World) -> None:
    organization = await world.organization()
    boss = await world.user(organization.id, "organization_admin")
    keys = [(await boss.post("/keys", name="k", scopes=["asr:infer"]))["id"] for _ in range(5)]
    for path, expected in (("/keys", keys[::-1]), ("/users", [boss.id])):
        seen: list[str] = []
        cursor = ""
        for _ in range(4):
            page = await boss.get(f"{path}?limit=2{cursor}")
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == expected
    admin = await world.admin()
    for path in ("/organizations", "/plans"):
        await admin.post(path, name=new_id())
        first = await admin.get(f"{path}?limit=1")
        if first["next"]:
            rest = await admin.get(f"{path}?limit=200&cursor={first['next']}")
            assert first["items"][0]["id"] not in [item["id"] for item in rest["items"]]
