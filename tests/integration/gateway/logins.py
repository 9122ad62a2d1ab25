"""People who log in to a real gateway, each from an address of their own."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from gateway.cli.environment import Services
from gateway.models.accounts import NewUser, OrganizationChanges, Plan, User, UserChanges
from gateway.services.authority import OPERATOR
from shared.db.base import new_id
from tests.integration.gateway.harness import PASSWORD, QUOTAS, Installation, Program, bearer
from tests.support.poll import eventually

AUTH = "/api/v1/auth"
USERS = "/api/v1/admin/users"
BOUND_S = 2.0
"""Within this a change of a sender holds."""
_addresses = count(int(time.time()) % 50_000)


def new_address() -> str:
    """A loopback address that nobody has logged in from."""
    number = next(_addresses)
    return f"127.1.{number // 250 % 250 + 1}.{number % 250 + 1}"


def browser(gateway: Program, address: str | None = None) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address=address or new_address())
    return httpx.AsyncClient(base_url=gateway.url, timeout=30, transport=transport)


def told(response: httpx.Response) -> tuple[int, str]:
    """Status, and the code of a refusal."""
    return response.status_code, "" if response.is_success else response.json()["code"]


@dataclass
class Person:
    """A user and their browser."""

    user: User
    client: httpx.AsyncClient
    tokens: dict[str, Any] = field(default_factory=dict)

    @property
    def access(self) -> str:
        token: str = self.tokens["access_token"]
        return token

    async def try_login(self, password: str = PASSWORD, agent: str = "test") -> httpx.Response:
        body = {"email": self.user.email, "password": password}
        return await self.client.post(f"{AUTH}/login", json=body, headers={"User-Agent": agent})

    async def log_in(self, password: str = PASSWORD, agent: str = "test") -> dict[str, Any]:
        response = await self.try_login(password, agent)
        assert response.status_code == 200, response.text
        self.tokens = response.json()
        return self.tokens

    async def ask(
        self, method: str, path: str, body: Any = None, access: str | None = None
    ) -> httpx.Response:
        headers = bearer(access or self.access)
        return await self.client.request(method, path, json=body, headers=headers)

    async def refresh(self, token: str | None = None) -> httpx.Response:
        body = {"refresh_token": token or self.tokens["refresh_token"]}
        return await self.client.post(f"{AUTH}/refresh", json=body)

    async def told_within_bound(
        self, expected: tuple[int, str], access: str | None = None, path: str = f"{AUTH}/me"
    ) -> None:
        """Wait until the gateway answers as a change of this person demands."""

        async def answered() -> bool:
            return told(await self.ask("GET", path, access=access)) == expected

        await eventually(answered, timeout_s=BOUND_S + 0.5)  # The last answer takes a while.


@dataclass
class People:
    """Makes users, and changes them behind the gateway's back as another gateway would."""

    services: Services
    gateway: Program
    stack: AsyncExitStack
    plan: Plan

    async def person(self, *roles: str, logged_in: bool = True) -> Person:
        """A user of an organization of their own, whose quotas are high."""
        accounts = self.services.accounts
        organization = await accounts.organizations.create(OPERATOR, new_id(), self.plan.id)
        email = f"{new_id()}@example.org"
        new = NewUser(email, "Test", frozenset(roles or ("user",)), PASSWORD)
        user = await accounts.users.create(OPERATOR, new, tenant_id=organization.id)
        client = await self.stack.enter_async_context(browser(self.gateway))
        made = Person(user, client)
        if logged_in:
            await made.log_in()
        return made

    async def change(self, person: Person, changes: UserChanges) -> None:
        await self.services.accounts.users.update(OPERATOR, person.user.id, changes)

    async def suspend(self, person: Person, *, suspended: bool) -> None:
        changes = OrganizationChanges(suspended=suspended)
        await self.services.accounts.organizations.update(OPERATOR, person.user.tenant_id, changes)


@asynccontextmanager
async def open_people(installation: Installation, gateway: Program) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(installation.services())
        quotas = dict.fromkeys(QUOTAS, 1_000_000)
        plan = await services.plans.create(OPERATOR, new_id(), quotas)
        yield People(services, gateway, stack, plan)
