"""What tests of the admin API start from: bodies of requests, and who sends them."""

from typing import Any

from tests.integration.gateway.admin.world import Sender, World
from tests.integration.gateway.harness import PASSWORD

NEW_USER = {"name": "New", "password": PASSWORD}
NEW_KEY: dict[str, Any] = {"name": "k", "scopes": ["asr:infer"]}


async def boss_of(world: World) -> Sender:
    return await world.user((await world.organization()).id, "organization_admin")
