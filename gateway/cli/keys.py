"""`speechgate keys …`."""

import re
import sys
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.cli.environment import (
    DEFAULT_RUN_DIR,
    CliSettings,
    RunDir,
    errors,
    find_settings,
    open_keys,
    run,
)
from gateway.models.keys import ApiKey, Environment, KeyLimits
from gateway.services.keys import Revocation
from shared.db.base import utc_now

keys = typer.Typer(help="API keys.", no_args_is_help=True)
_DURATION = re.compile(r"([1-9]\d{0,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SCOPE = re.compile(r"\*|[a-z]+:[a-z*]+")
_NAME_LENGTH = 100
_PIPE_WIDTH = 160
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quota = Annotated[int | None, typer.Option(min=1, help="Quota; the gateway's default if absent.")]


def parse_duration(text: str) -> timedelta:
    """`90s`, `15m`, `12h`, `30d` or `4w`.

    Raises:
        typer.BadParameter: Anything else.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number and a unit: 90s, 15m, 12h, 30d or 4w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _check_scopes(scopes: list[str]) -> list[str]:
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise typer.BadParameter(f"{scope!r} is no scope; write one like asr:infer, or *")
    return scopes


def _check_name(name: str) -> str:
    if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable():
        raise typer.BadParameter(f"write 1 to {_NAME_LENGTH} printable characters")
    return name


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= utc_now():
        return "expired"
    return "active"


def _members(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant_name,
        "tenant_id": key.tenant_id,
        "environment": key.environment,
        "scopes": sorted(key.scopes),
        "limits": key.limits,
        "state": _state(key),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
    }


def _print_json(document: Any) -> None:
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def _time(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if value else "-"


def _quotas(limits: KeyLimits) -> str:
    values = (limits.per_minute, limits.per_hour, limits.per_day)
    if not any(values):
        return "default"
    return " / ".join("default" if value is None else str(value) for value in values)


@keys.command()
def create(
    name: Annotated[str, typer.Option(callback=_check_name, help="For people.")],
    scope: Annotated[
        list[str],
        typer.Option(callback=_check_scopes, help="What the key may do, e.g. asr:infer; repeat."),
    ],
    expires_in: Annotated[str | None, typer.Option(help="Life, e.g. 30d.")] = None,
    per_minute: Quota = None,
    per_hour: Quota = None,
    per_day: Quota = None,
    tenant: Annotated[str, typer.Option(callback=_check_name, help="Organization.")] = "default",
    environment: Annotated[Environment, typer.Option(help="live or test.")] = "live",
    as_json: AsJson = False,  # noqa: FBT002 - a command line flag
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make a key and show it, once."""
    life = parse_duration(expires_in) if expires_in else None
    limits = KeyLimits(per_minute, per_hour, per_day)

    async def work(settings: CliSettings) -> tuple[ApiKey, str]:
        async with open_keys(settings) as service:
            return await service.create(
                tenant=tenant,
                name=name,
                scopes=scope,
                limits=limits,
                expires_in=life,
                environment=environment,
            )

    key, text = run(work(find_settings(run_dir)))
    if as_json:
        _print_json({"key": text, **_members(key)})
        return
    table = Table(title="API key", show_header=False)
    table.add_row("id", key.id)
    table.add_row("name", escape(key.name))
    table.add_row("tenant", escape(key.tenant_name))
    table.add_row("scopes", ", ".join(sorted(key.scopes)))
    table.add_row("per minute / hour / day", _quotas(key.limits))
    table.add_row("expires", _time(key.expires_at))
    Console().print(table)
    # Outside the table, which would break the line where the terminal is narrow.
    typer.echo(f"\n{text}\n\nKeep it now: it is stored nowhere and cannot be shown again.")


@keys.command("list")
def list_keys(as_json: AsJson = False, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:  # noqa: FBT002
    """List all keys, newest first."""

    async def work(settings: CliSettings) -> list[ApiKey]:
        async with open_keys(settings) as service:
            return await service.list_all()

    found = run(work(find_settings(run_dir)))
    if as_json:
        _print_json([_members(key) for key in found])
        return
    table = Table(box=SIMPLE, pad_edge=False)
    for column in ("id", "name", "tenant", "scopes", "state", "quotas", "expires", "last used"):
        table.add_column(column, no_wrap=column == "id")
    for key in found:
        table.add_row(
            key.id,
            escape(key.name),
            escape(key.tenant_name),
            ", ".join(sorted(key.scopes)),
            _state(key),
            _quotas(key.limits),
            _time(key.expires_at),
            _time(key.last_used_at),
        )
    # What another program reads is not folded to the width of a terminal.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,  # noqa: FBT002 - a command line flag
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Revoke a key; it is refused everywhere within 2 seconds."""
    settings = find_settings(run_dir)

    async def work() -> Revocation:
        async with open_keys(settings) as service:
            return await service.revoke(key_id)

    revocation = run(work())
    if settings.redis_url and not revocation.announced:
        errors.print("Redis does not answer: gateways that still reach it may take up to 60 s.")
    if as_json:
        _print_json(_members(revocation.key))
    else:
        typer.echo(f"Revoked {revocation.key.id} ({revocation.key.name}).")
