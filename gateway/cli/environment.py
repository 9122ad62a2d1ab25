"""Where the command line finds the installation: the environment, or a local stack's folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from rich.console import Console

from gateway.db.redis import RedisLink
from gateway.exceptions import DatabaseUnreachable
from gateway.models.accounts import Page
from gateway.repositories.key_cache import RedisKeyCache
from gateway.repositories.store import Database
from gateway.services.accounts import AccountService
from gateway.services.hashing import KeyHasher
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.keys import KeyService
from gateway.services.passwords import PasswordHasher
from gateway.services.plans import PlanService
from shared.db.engine import create_engine
from shared.metrics import Metrics
from shared.problem import SpeechgateError

Result = TypeVar("Result")
Item = TypeVar("Item")
PAGE = 200
RunDir = Annotated[
    Path,
    typer.Option(
        "--run-dir", help="Folder of a local stack, read when the environment names no database."
    ),
]
DEFAULT_RUN_DIR = Path(".run")
errors = Console(stderr=True)


class CliSettings(BaseSettings):
    """The part of the gateway's settings that the command line needs."""

    model_config = SettingsConfigDict(env_prefix="SPEECHGATE_", extra="ignore", frozen=True)

    database_url: str
    redis_url: str = ""
    key_pepper_file: Path
    key_pepper_version: int = 1
    key_previous_pepper_files: dict[int, Path] = {}


def find_settings(run_dir: Path) -> CliSettings:
    """Settings from the environment, completed from the folder of a local stack.

    Raises:
        typer.Exit: Neither says where the database is.
    """
    found: dict[str, Any] = {}
    stack_file = run_dir / "stack.json"
    try:
        return CliSettings()
    except ValidationError:
        pass
    if stack_file.is_file():
        stack = orjson.loads(stack_file.read_bytes())
        found = {
            "database_url": stack["databases"]["gateway"],
            "redis_url": stack.get("redis_url") or "",
            "key_pepper_file": stack["key_pepper_file"],
        }
        return CliSettings(**found)
    errors.print(
        "No installation found: set SPEECHGATE_DATABASE_URL and SPEECHGATE_KEY_PEPPER_FILE, "
        f"or start a local stack ({stack_file} is absent)."
    )
    raise typer.Exit(2)


@dataclass(frozen=True, slots=True)
class Services:
    """What the command line may do, on an installation."""

    keys: KeyService
    accounts: AccountService
    plans: PlanService


@asynccontextmanager
async def open_services(settings: CliSettings) -> AsyncIterator[Services]:
    """The services of an installation."""
    async with AsyncExitStack() as stack:
        engine = create_engine(settings.database_url, pool_size=1)
        stack.push_async_callback(engine.dispose)
        cache = None
        if settings.redis_url:
            metrics = Metrics("cli")
            link = RedisLink(settings.redis_url, metrics, metrics.dependency_up)
            stack.push_async_callback(link.close)
            cache = RedisKeyCache(link)
        hasher = KeyHasher.from_files(
            settings.key_pepper_version,
            settings.key_pepper_file,
            settings.key_previous_pepper_files,
        )
        database = Database(engine)
        announcer = KeyAnnouncer(cache, hasher.current)
        yield Services(
            keys=KeyService(database, hasher, announcer),
            accounts=AccountService.over(database, PasswordHasher(), announcer),
            plans=PlanService(database, announcer),
        )


def perform(run_dir: Path, work: Callable[[Services], Awaitable[Result]]) -> Result:
    """The result of some work on the installation; errors become one line and exit status 1."""
    settings = find_settings(run_dir)

    async def with_services() -> Result:
        async with open_services(settings) as services:
            return await work(services)

    return run(with_services())


async def every(
    pages: Callable[[str | None], Awaitable[Page[Item]]],
) -> list[Item]:
    """All items of a list that comes in pages.

    Args:
        pages: Given a cursor.
    """
    found: list[Item] = []
    cursor: str | None = None
    while True:
        page = await pages(cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine; errors become one line and exit status 1."""
    try:
        return asyncio.run(work)
    except DatabaseUnreachable:
        errors.print("The database does not answer, or was never migrated (speechgate db migrate).")
    except SpeechgateError as error:
        errors.print(error.detail)
    raise typer.Exit(1)
