"""`speechgate plans …`."""

from typing import Annotated, Any

import typer

from gateway.cli.environment import DEFAULT_RUN_DIR, PAGE, RunDir, Services, every, perform
from gateway.cli.output import (
    AsJson,
    NewQuota,
    Quota,
    changed_quotas,
    check_name,
    print_json,
    print_object,
    print_table,
    show_quotas,
)
from gateway.models.accounts import Plan
from gateway.schemas.admin_accounts import PlanAnswer
from gateway.services.authority import OPERATOR

plans = typer.Typer(help="Plans: quotas that organizations share.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME")]
_COLUMNS = ("id", "name", "per minute / hour / day", "at once: per key / organization")


def _row(plan: Plan) -> tuple[str, ...]:
    return (
        plan.id,
        plan.name,
        show_quotas(plan.per_minute, plan.per_hour, plan.per_day),
        show_quotas(plan.max_concurrent_per_key, plan.max_concurrent_per_tenant),
    )


def _show(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(PlanAnswer.of(plan))
    else:
        print_object("Plan", list(zip(_COLUMNS, _row(plan), strict=True)))


@plans.command()
def create(
    *,
    name: Annotated[str, typer.Option(callback=check_name)],
    per_minute: Quota = None,
    per_hour: Quota = None,
    per_day: Quota = None,
    max_concurrent_per_key: Quota = None,
    max_concurrent_per_tenant: Quota = None,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make a plan."""
    quotas = {
        "per_minute": per_minute,
        "per_hour": per_hour,
        "per_day": per_day,
        "max_concurrent_per_key": max_concurrent_per_key,
        "max_concurrent_per_tenant": max_concurrent_per_tenant,
    }
    _show(
        perform(run_dir, lambda services: services.plans.create(OPERATOR, name, quotas)),
        as_json=as_json,
    )


@plans.command("list")
def list_plans(*, as_json: AsJson = False, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """List all plans, newest first."""

    async def work(services: Services) -> list[Plan]:
        return await every(lambda cursor: services.plans.list(OPERATOR, limit=PAGE, cursor=cursor))

    found = perform(run_dir, work)
    if as_json:
        print_json([PlanAnswer.of(plan) for plan in found])
    else:
        print_table(_COLUMNS, map(_row, found))


@plans.command()
def update(
    name: Name,
    *,
    rename: Annotated[str | None, typer.Option(callback=check_name, help="New name.")] = None,
    per_minute: NewQuota = None,
    per_hour: NewQuota = None,
    per_day: NewQuota = None,
    max_concurrent_per_key: NewQuota = None,
    max_concurrent_per_tenant: NewQuota = None,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Change a plan; holds for its organizations' keys within 2 seconds."""
    changes: dict[str, Any] = changed_quotas(
        {
            "per_minute": per_minute,
            "per_hour": per_hour,
            "per_day": per_day,
            "max_concurrent_per_key": max_concurrent_per_key,
            "max_concurrent_per_tenant": max_concurrent_per_tenant,
        }
    )
    if rename:
        changes["name"] = rename

    async def work(services: Services) -> Plan:
        plan = await services.plans.named(OPERATOR, name)
        return await services.plans.update(OPERATOR, plan.id, changes)

    _show(perform(run_dir, work), as_json=as_json)


@plans.command()
def delete(name: Name, *, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """Delete a plan that no organization has."""

    async def work(services: Services) -> None:
        plan = await services.plans.named(OPERATOR, name)
        await services.plans.delete(OPERATOR, plan.id)

    perform(run_dir, work)
    typer.echo(f"Deleted the plan {name}.")
