"""`speechgate users …`: how the first administrator comes to be."""

import sys
from typing import Annotated

import typer

from gateway.cli.environment import DEFAULT_RUN_DIR, PAGE, RunDir, Services, every, perform
from gateway.cli.output import (
    AsJson,
    check_email,
    check_name,
    print_json,
    print_object,
    print_table,
    show_time,
)
from gateway.models.accounts import NewUser, Organization, User, UserChanges
from gateway.schemas.admin_accounts import UserAnswer
from gateway.services.authority import OPERATOR

users = typer.Typer(help="Users.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL", callback=check_email)]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
DEFAULT_ORGANIZATION = "default"


def read_password(*, from_stdin: bool) -> str:
    """A password that is on no command line and in no history.

    Raises:
        typer.BadParameter: There is nobody to ask.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask for a password: --password-stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _show(user: User, *, as_json: bool) -> None:
    if as_json:
        print_json(UserAnswer.of(user))
        return
    members = [
        ("id", user.id),
        ("e-mail", user.email),
        ("name", user.name),
        ("roles", ", ".join(user.roles) or "-"),
        ("state", _state(user)),
    ]
    print_object("User", members)


def _state(user: User) -> str:
    return "active" if user.disabled_at is None else "disabled"


@users.command()
def create(
    *,
    email: Annotated[str, typer.Option(callback=check_email)],
    name: Annotated[str, typer.Option(callback=check_name, help="For people.")],
    role: Annotated[list[str], typer.Option(help="E.g. admin; repeat.")],
    organization: Annotated[str, typer.Option(callback=check_name)] = DEFAULT_ORGANIZATION,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make a user; without --password-stdin it asks for the password."""
    new = NewUser(email, name, frozenset(role), read_password(from_stdin=password_stdin))

    async def work(services: Services) -> User:
        organizations = services.accounts.organizations
        # The first one of an installation; others are made on purpose.
        find = organizations.ensure if organization == DEFAULT_ORGANIZATION else organizations.named
        found = await find(OPERATOR, organization)
        return await services.accounts.users.create(OPERATOR, new, tenant_id=found.id)

    _show(perform(run_dir, work), as_json=as_json)


@users.command("list")
def list_users(*, as_json: AsJson = False, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """List all users, newest first."""

    async def work(services: Services) -> tuple[list[User], list[Organization]]:
        accounts = services.accounts
        found = await every(lambda cursor: accounts.users.list(OPERATOR, limit=PAGE, cursor=cursor))
        organizations = await every(
            lambda cursor: accounts.organizations.list(OPERATOR, limit=PAGE, cursor=cursor)
        )
        return found, organizations

    found, organizations = perform(run_dir, work)
    if as_json:
        print_json([UserAnswer.of(user) for user in found])
        return
    names = {organization.id: organization.name for organization in organizations}
    print_table(
        ("id", "e-mail", "name", "organization", "roles", "state", "last login"),
        [
            (
                user.id,
                user.email,
                user.name,
                names.get(user.tenant_id, user.tenant_id),
                ", ".join(user.roles),
                _state(user),
                show_time(user.last_login_at),
            )
            for user in found
        ],
    )


@users.command()
def disable(
    email: Email,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Disable a user: end the sessions and revoke the keys."""
    _change(run_dir, email, UserChanges(disabled=True), as_json=as_json)


@users.command()
def enable(
    email: Email,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Let a disabled user log in again; revoked keys stay revoked."""
    _change(run_dir, email, UserChanges(disabled=False), as_json=as_json)


@users.command("set-roles")
def set_roles(
    email: Email,
    *,
    role: Annotated[list[str], typer.Option(help="All that the user shall have; repeat.")],
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Give a user these roles in place of the ones before."""
    _change(run_dir, email, UserChanges(roles=frozenset(role)), as_json=as_json)


@users.command("set-password")
def set_password(
    email: Email,
    *,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Give a user another password and end the sessions."""
    password = read_password(from_stdin=password_stdin)
    _change(run_dir, email, UserChanges(password=password), as_json=as_json)


def _change(run_dir: RunDir, email: str, changes: UserChanges, *, as_json: bool) -> None:
    async def work(services: Services) -> User:
        service = services.accounts.users
        user = await service.with_email(OPERATOR, email)
        return await service.update(OPERATOR, user.id, changes)

    _show(perform(run_dir, work), as_json=as_json)
