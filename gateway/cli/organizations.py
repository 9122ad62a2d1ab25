"""`speechgate organizations …`."""

from typing import Annotated

import typer

from gateway.cli.environment import DEFAULT_RUN_DIR, PAGE, RunDir, Services, every, perform
from gateway.cli.output import (
    AsJson,
    check_name,
    print_json,
    print_object,
    print_table,
    show_time,
)
from gateway.models.accounts import Organization, OrganizationChanges
from gateway.schemas.admin_accounts import OrganizationAnswer
from gateway.services.authority import OPERATOR

organizations = typer.Typer(help="Organizations.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME")]


def _row(organization: Organization) -> tuple[str, ...]:
    plan = organization.plan.name if organization.plan else "-"
    state = "suspended" if organization.suspended_at else "active"
    return (
        organization.id,
        organization.name,
        plan,
        state,
        show_time(organization.created_at),
    )


_COLUMNS = ("id", "name", "plan", "state", "created")


def _show(organization: Organization, *, as_json: bool) -> None:
    if as_json:
        print_json(OrganizationAnswer.of(organization))
    else:
        members = zip(_COLUMNS, _row(organization), strict=True)
        print_object("Organization", list(members))


@organizations.command()
def create(
    *,
    name: Annotated[str, typer.Option(callback=check_name)],
    plan: Annotated[str | None, typer.Option(help="Name of its plan.")] = None,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make an organization."""

    async def work(services: Services) -> Organization:
        found = await services.plans.named(OPERATOR, plan) if plan else None
        return await services.accounts.organizations.create(
            OPERATOR, name, found.id if found else None
        )

    _show(perform(run_dir, work), as_json=as_json)


@organizations.command("list")
def list_organizations(
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """List all organizations, newest first."""

    async def work(services: Services) -> list[Organization]:
        service = services.accounts.organizations
        return await every(lambda cursor: service.list(OPERATOR, limit=PAGE, cursor=cursor))

    found = perform(run_dir, work)
    if as_json:
        print_json([OrganizationAnswer.of(organization) for organization in found])
    else:
        print_table(_COLUMNS, map(_row, found))


@organizations.command()
def suspend(
    name: Name,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Refuse all keys and users of an organization."""
    _show(_change(run_dir, name, OrganizationChanges(suspended=True)), as_json=as_json)


@organizations.command()
def resume(
    name: Name,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """End the suspension of an organization."""
    _show(_change(run_dir, name, OrganizationChanges(suspended=False)), as_json=as_json)


@organizations.command("set-plan")
def set_plan(
    name: Name,
    plan: Annotated[str | None, typer.Argument(metavar="[PLAN]")] = None,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Give an organization a plan; without PLAN it has the gateway's defaults again."""

    async def work(services: Services) -> Organization:
        service = services.accounts.organizations
        found = await services.plans.named(OPERATOR, plan) if plan else None
        organization = await service.named(OPERATOR, name)
        changes = OrganizationChanges(plan_id=found.id if found else None)
        return await service.update(OPERATOR, organization.id, changes)

    _show(perform(run_dir, work), as_json=as_json)


def _change(run_dir: RunDir, name: str, changes: OrganizationChanges) -> Organization:
    async def work(services: Services) -> Organization:
        service = services.accounts.organizations
        organization = await service.named(OPERATOR, name)
        return await service.update(OPERATOR, organization.id, changes)

    return perform(run_dir, work)
