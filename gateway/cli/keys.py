"""`speechgate keys …`."""

from typing import Annotated

import typer

from gateway.cli.environment import (
    DEFAULT_RUN_DIR,
    PAGE,
    RunDir,
    Services,
    errors,
    every,
    find_settings,
    perform,
)
from gateway.cli.output import (
    MAX_QUOTA,
    AsJson,
    NewQuota,
    Quota,
    changed_quotas,
    check_name,
    check_scopes,
    parse_duration,
    print_json,
    print_object,
    print_table,
    show_quotas,
    show_time,
)
from gateway.models.accounts import UNSET
from gateway.models.keys import ApiKey, Environment, KeyChanges, KeyLimits, NewKey
from gateway.schemas.admin_keys import MAX_OVERLAP_S, KeyAnswer, NewKeyAnswer, RotationAnswer
from gateway.services.authority import OPERATOR
from shared.db.base import utc_now

keys = typer.Typer(help="API keys.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(metavar="ID")]
Models = Annotated[
    list[str] | None, typer.Option("--model", help="Model that it may use; repeat; any if absent.")
]


def _quotas(limits: KeyLimits) -> str:
    return show_quotas(limits.per_minute, limits.per_hour, limits.per_day)


def _models(key: ApiKey) -> str:
    return "any" if key.models is None else ", ".join(sorted(key.models))


def _show(key: ApiKey, text: str | None = None) -> None:
    cap = key.limits.max_concurrent
    members = [
        ("id", key.id),
        ("name", key.name),
        ("tenant", key.tenant_name),
        ("scopes", ", ".join(sorted(key.scopes))),
        ("models", _models(key)),
        ("per minute / hour / day", _quotas(key.limits)),
        ("at once", "default" if cap is None else str(cap)),
        ("expires", show_time(key.expires_at)),
    ]
    print_object("API key", members)
    if text is not None:
        # Outside the table, which would break the line where the terminal is narrow.
        typer.echo(f"\n{text}\n\nKeep it now: it is stored nowhere and cannot be shown again.")


@keys.command()
def create(
    *,
    name: Annotated[str, typer.Option(callback=check_name, help="For people.")],
    scope: Annotated[
        list[str],
        typer.Option(callback=check_scopes, help="What the key may do, e.g. asr:infer; repeat."),
    ],
    expires_in: Annotated[str | None, typer.Option(help="Life, e.g. 30d.")] = None,
    per_minute: Quota = None,
    per_hour: Quota = None,
    per_day: Quota = None,
    max_concurrent: Annotated[
        int | None, typer.Option(min=1, max=MAX_QUOTA, help="Requests in flight at once.")
    ] = None,
    model: Models = None,
    tenant: Annotated[
        str, typer.Option("--tenant", "--organization", callback=check_name, help="Organization.")
    ] = "default",
    environment: Annotated[Environment, typer.Option(help="live or test.")] = "live",
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make a key and show it, once; the organization is made when absent."""
    new = NewKey(
        name=name,
        scopes=frozenset(scope),
        limits=KeyLimits(per_minute, per_hour, per_day, max_concurrent),
        models=frozenset(model) if model else None,
        expires_at=utc_now() + parse_duration(expires_in) if expires_in else None,
        environment=environment,
    )

    async def work(services: Services) -> tuple[ApiKey, str]:
        return await services.keys.create(OPERATOR, new, tenant_name=tenant)

    key, text = perform(run_dir, work)
    if as_json:
        print_json(NewKeyAnswer.made(key, text))
    else:
        _show(key, text)


@keys.command("list")
def list_keys(*, as_json: AsJson = False, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """List all keys, newest first."""

    async def work(services: Services) -> list[ApiKey]:
        return await every(lambda cursor: services.keys.list(OPERATOR, limit=PAGE, cursor=cursor))

    found = perform(run_dir, work)
    if as_json:
        print_json([KeyAnswer.of(key) for key in found])
        return
    now = utc_now()
    print_table(
        ("id", "name", "tenant", "scopes", "models", "state", "quotas", "expires", "last used"),
        [
            (
                key.id,
                key.name,
                key.tenant_name,
                ", ".join(sorted(key.scopes)),
                _models(key),
                key.state(now),
                _quotas(key.limits),
                show_time(key.expires_at),
                show_time(key.last_used_at),
            )
            for key in found
        ],
    )


@keys.command()
def update(
    key_id: KeyId,
    *,
    name: Annotated[str | None, typer.Option(callback=check_name, help="For people.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(callback=check_scopes, help="All that it may do from now on; repeat."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="All models that it may use from now on; repeat.")
    ] = None,
    any_model: Annotated[bool, typer.Option("--any-model", help="Let it use any model.")] = False,
    expires_in: Annotated[str | None, typer.Option(help="Life from now, or never.")] = None,
    per_minute: NewQuota = None,
    per_hour: NewQuota = None,
    per_day: NewQuota = None,
    max_concurrent: NewQuota = None,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Change a key; holds everywhere within 2 seconds."""
    if model and any_model:
        raise typer.BadParameter("give --model or --any-model")
    life = parse_duration(expires_in) if expires_in and expires_in != "never" else None
    changes = KeyChanges(
        name=name or UNSET,
        scopes=frozenset(scope) if scope else UNSET,
        models=frozenset(model) if model else None if any_model else UNSET,
        expires_at=utc_now() + life if life else None if expires_in else UNSET,
        limits=changed_quotas(
            {
                "per_minute": per_minute,
                "per_hour": per_hour,
                "per_day": per_day,
                "max_concurrent": max_concurrent,
            }
        ),
    )

    async def work(services: Services) -> ApiKey:
        return await services.keys.update(OPERATOR, key_id, changes)

    key = perform(run_dir, work)
    if as_json:
        print_json(KeyAnswer.of(key))
    else:
        _show(key)


@keys.command()
def rotate(
    key_id: KeyId,
    *,
    overlap: Annotated[str, typer.Option(help="How long the old key works, e.g. 12h.")] = "1d",
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Make a successor and show it, once; the old key ends after the overlap."""
    life = parse_duration(overlap)
    if life.total_seconds() > MAX_OVERLAP_S:
        raise typer.BadParameter("the overlap is at most 7d")
    rotation = perform(run_dir, lambda services: services.keys.rotate(OPERATOR, key_id, life))
    if as_json:
        print_json(RotationAnswer.rotated(rotation.old, rotation.new, rotation.text))
    else:
        _show(rotation.new, rotation.text)
        typer.echo(f"The old key {rotation.old.id} ends {show_time(rotation.old.expires_at)} UTC.")


@keys.command()
def revoke(
    key_id: KeyId,
    *,
    as_json: AsJson = False,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Revoke a key; it is refused everywhere within 2 seconds."""
    revocation = perform(run_dir, lambda services: services.keys.revoke(OPERATOR, key_id))
    if find_settings(run_dir).redis_url and not revocation.announced:
        errors.print("Redis does not answer: gateways that still reach it may take up to 60 s.")
    if as_json:
        print_json(KeyAnswer.of(revocation.key))
    else:
        typer.echo(f"Revoked {revocation.key.id} ({revocation.key.name}).")
