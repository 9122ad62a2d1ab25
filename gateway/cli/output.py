"""What commands have in common: their options, and how they print."""

import logging
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated

import orjson
import structlog
import typer
from pydantic import BaseModel
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.models.accounts import normalize_email
from gateway.models.permissions import PERMISSIONS

NAME_LENGTH = 100
MAX_QUOTA = 1_000_000_000
_PIPE_WIDTH = 160
_DURATION = re.compile(r"([1-9]\d{0,5})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quota = Annotated[
    int | None, typer.Option(min=1, max=MAX_QUOTA, help="Quota; the gateway's default if absent.")
]
NewQuota = Annotated[
    int | None, typer.Option(min=0, max=MAX_QUOTA, help="Quota; 0 takes the default again.")
]


def parse_duration(text: str) -> timedelta:
    """`90s`, `15m`, `12h`, `30d` or `4w`.

    Raises:
        typer.BadParameter: Anything else.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number and a unit: 90s, 15m, 12h, 30d or 4w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def check_name(name: str | None) -> str | None:
    """A callback that refuses what is no name."""
    if name is None:
        return None
    if not 0 < len(name.strip()) <= NAME_LENGTH or not name.isprintable():
        raise typer.BadParameter(f"write 1 to {NAME_LENGTH} printable characters")
    return name.strip()


def check_scopes(scopes: list[str] | None) -> list[str] | None:
    """A callback that refuses permissions that do not exist."""
    for scope in scopes or ():
        if scope not in PERMISSIONS:
            known = ", ".join(PERMISSIONS)
            raise typer.BadParameter(f"{scope!r} is no scope; these are: {known}")
    return scopes


def check_email(email: str) -> str:
    """A callback that refuses what is no address."""
    try:
        return normalize_email(email)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def changed_quotas(quotas: dict[str, int | None]) -> dict[str, int | None]:
    """Those that were given; 0 becomes None, the default."""
    return {name: value or None for name, value in quotas.items() if value is not None}


@contextmanager
def logs_aside() -> Iterator[None]:
    """Let logs go to standard error: standard output is the answer, perhaps as JSON."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def print_json(answer: BaseModel | Iterable[BaseModel]) -> None:
    """One object, or a list of them."""
    document = (
        answer.model_dump()
        if isinstance(answer, BaseModel)
        else [item.model_dump() for item in answer]
    )
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a line for each object; the first column, an id, is never folded."""
    table = Table(box=SIMPLE, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, no_wrap=position == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    # What another program reads is not folded to the width of a terminal.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def print_object(title: str, members: Sequence[tuple[str, str]]) -> None:
    """A table with a line for each member of one object."""
    table = Table(title=title, show_header=False)
    for name, value in members:
        table.add_row(name, escape(value))
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def show_time(value: datetime | None) -> str:
    """To the minute."""
    return value.strftime("%Y-%m-%d %H:%M") if value else "-"


def show_quotas(*values: int | None) -> str:
    """Some quotas in a line; `default` alone when none is set."""
    if not any(values):
        return "default"
    return " / ".join("default" if value is None else str(value) for value in values)
