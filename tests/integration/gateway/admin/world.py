"""The admin API over a real database, and people who use it."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.cli.environment import Services
from gateway.exceptions import ScopeMissing
from gateway.handlers.admin_keys import keys_router
from gateway.handlers.admin_organizations import organizations_router
from gateway.handlers.admin_plans import plans_router
from gateway.handlers.admin_users import users_router
from gateway.models.accounts import Organization, User
from gateway.models.limits import make_policy
from gateway.models.principal import Principal
from gateway.models.route_table import RouteTable
from gateway.repositories.key_cache import RedisKeyCache
from gateway.repositories.store import Database
from gateway.routes import OWN_ROUTES
from gateway.services.authority import OPERATOR
from shared.asgi.errors import install_error_handlers, problem_response
from shared.db.base import new_id, utc_now
from shared.identity import Identity

ADMIN = "/api/v1/admin"
POLICY = make_policy(60, 1_000, 10_000)


class Guard:
    """Stands for authentication: the header names one of the known principals."""

    def __init__(self, app: ASGIApp, context: Any, senders: Mapping[str, Principal]) -> None:
        self._app = app
        self._context = context
        self._senders = senders
        self._table = RouteTable(OWN_ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = dict(scope["headers"])[b"x-sender"].decode()
        principal = self._senders[sender]
        scope["state"] = {"context": self._context, "principal": principal}
        methods = self._table.find(scope["path"])
        assert methods is not None
        permission = methods[scope["method"]].permission
        assert permission is not None
        if permission and not principal.may(permission):
            await problem_response(scope, ScopeMissing(permission))(scope, receive, send)
            return
        await self._app(scope, receive, send)


@dataclass
class Sender:
    """Somebody who sends requests."""

    id: str
    tenant_id: str
    name: str
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.client.request(
            method, ADMIN + path, json=body, headers={"x-sender": self.name}
        )

    async def get(self, path: str) -> Any:
        return await self._done("GET", path)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._done("POST", path, body)

    async def patch(self, path: str, **body: Any) -> Any:
        return await self._done("PATCH", path, body)

    async def delete(self, path: str) -> Any:
        return await self._done("DELETE", path)

    async def refused(self, method: str, path: str, **body: Any) -> tuple[int, str]:
        """Status and code of a refusal."""
        response = await self.ask(method, path, body if method in ("POST", "PATCH") else None)
        assert response.headers["content-type"] == "application/problem+json", response.text
        return response.status_code, response.json()["code"]

    async def _done(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.ask(method, path, body)
        assert response.is_success, response.text
        return response.json() if response.content else None


@dataclass
class World:
    """An installation and its people."""

    services: Services
    database: Database
    cache: RedisKeyCache | None
    client: httpx.AsyncClient
    senders: dict[str, Principal] = field(default_factory=dict)

    async def organization(self, plan_id: str | None = None) -> Organization:
        return await self.services.accounts.organizations.create(OPERATOR, new_id(), plan_id)

    async def user(self, tenant_id: str, *roles: str) -> Sender:
        """A logged-in user; nobody knows the password."""
        now = utc_now()
        user = User(
            id=new_id(),
            tenant_id=tenant_id,
            email=f"{new_id()}@example.org",
            name="Some One",
            password_hash="",
            roles=roles,
            disabled_at=None,
            password_changed_at=now,
            last_login_at=None,
            created_at=now,
            organization_suspended=False,
            plan=None,
        )
        async with self.database.transaction() as store:
            await store.users.add(user)
            held = await store.users.permissions_of(user.id)
        identity = Identity(f"user:{user.id}", tenant_id, held)
        return self._enter(user.id, Principal(identity, POLICY, None, kind="user"))

    async def admin(self) -> Sender:
        """Of the platform, in an organization of their own."""
        return await self.user((await self.organization()).id, "admin")

    def key(self, tenant_id: str, *scopes: str, models: frozenset[str] | None = None) -> Sender:
        """A program that sends an API key."""
        key_id = new_id()[:12]
        identity = Identity(key_id, tenant_id, frozenset(scopes))
        return self._enter(key_id, Principal(identity, POLICY, None, models=models))

    def _enter(self, sender_id: str, principal: Principal) -> Sender:
        name = new_id()
        self.senders[name] = principal
        return Sender(sender_id, principal.identity.tenant_id, name, self.client)


@contextlib.asynccontextmanager
async def open_world(
    services: Services, database: Database, cache: RedisKeyCache | None
) -> AsyncIterator[World]:
    app = FastAPI(openapi_url=None)
    for router in (keys_router(), organizations_router(), plans_router(), users_router()):
        app.include_router(router)
    install_error_handlers(app)
    context = SimpleNamespace(accounts=services.accounts, keys=services.keys, plans=services.plans)
    senders: dict[str, Principal] = {}
    transport = httpx.ASGITransport(Guard(app, context, senders))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield World(services, database, cache, client, senders)
