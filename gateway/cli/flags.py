"""`speechgate flags …`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.cli.environment import DEFAULT_RUN_DIR, RunDir, errors, run
from gateway.cli.output import AsJson, logs_aside, print_json, print_object, print_table
from gateway.flags.client import FlagClient
from gateway.flags.protocol import FlagSource
from gateway.models.flags import FlagContext, FlagEvaluation, FlagKind, FlagState
from gateway.schemas.flags import EvaluationAnswer, FlagAnswer
from gateway.services.flag_runtime import SourceSettings, choose_source
from gateway.services.flags import evaluate_as, kind_of
from shared.metrics import Metrics

flags = typer.Typer(help="Feature flags.", no_args_is_help=True)
_STACK_MEMBERS = ("flags_file", "unleash_url", "unleash_token_file")


class FlagSettings(BaseSettings):
    """The part of the gateway's settings that says where flags come from."""

    model_config = SettingsConfigDict(env_prefix="SPEECHGATE_", extra="ignore", frozen=True)

    flags_file: Path | None = None
    unleash_url: str = ""
    unleash_token_file: Path | None = None
    unleash_environment: str = "development"
    unleash_refresh_s: float = 10.0
    flags_cache_dir: Path | None = None


def _settings(run_dir: Path) -> SourceSettings:
    """Settings from the environment, else from the folder of a local stack."""
    try:
        found = FlagSettings()
    except ValidationError as error:
        errors.print(f"A setting is wrong: {error.errors()[0]['loc'][0]}")
        raise typer.Exit(2) from error
    if found.flags_file is None and not found.unleash_url:
        stack_file = run_dir / "stack.json"
        if not stack_file.is_file():
            errors.print(
                "No flags found: set SPEECHGATE_FLAGS_FILE or SPEECHGATE_UNLEASH_URL and "
                f"SPEECHGATE_UNLEASH_TOKEN_FILE, or start a local stack ({stack_file} is absent)."
            )
            raise typer.Exit(2)
        stack = orjson.loads(stack_file.read_bytes())
        found = FlagSettings(**{name: stack[name] for name in _STACK_MEMBERS if stack.get(name)})
    return found


@asynccontextmanager
async def _open(settings: SourceSettings) -> AsyncIterator[FlagClient]:
    with logs_aside():
        source: FlagSource = await choose_source(settings, None)
        client = FlagClient(source, settings.unleash_environment, Metrics("cli"))
        await client.open()
        try:
            yield client
        finally:
            await client.close()


def _warn(state: FlagState) -> None:
    if state.stale:
        errors.print(f"The flags may be old: {state.source} does not answer.")


@flags.command("list")
def list_flags(as_json: AsJson = False, run_dir: RunDir = DEFAULT_RUN_DIR) -> None:  # noqa: FBT002 - a command line flag
    """List all flags, by name."""
    settings = _settings(run_dir)

    async def work() -> tuple[list[FlagAnswer], FlagState]:
        async with _open(settings) as client:
            known = sorted(client.source.document.flags.items())
            answers = [FlagAnswer.of(flag, settings.unleash_environment) for _, flag in known]
            return answers, client.state

    found, state = run(work())
    _warn(state)
    if as_json:
        print_json(found)
        return
    print_table(
        ("name", "state", "kind", "variants", "strategies", "rollout", "description"),
        [
            (
                flag.name,
                "on" if flag.enabled else "off",
                flag.kind,
                ", ".join(flag.variants) or "-",
                ", ".join(flag.strategies) or "-",
                "-" if flag.rollout is None else f"{flag.rollout} %",
                flag.description,
            )
            for flag in found
        ],
    )


@flags.command()
def evaluate(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    user: Annotated[str, typer.Option(help="Targeting key: an API key's id, or user:<id>.")] = "",
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", "-a", help="Attribute, e.g. organization=acme; repeat."),
    ] = None,
    default: Annotated[
        str | None, typer.Option(help="The answer when the flag has none: JSON, or a text.")
    ] = None,
    boolean: Annotated[bool, typer.Option("--boolean", help="Only whether it is on.")] = False,  # noqa: FBT002 - a command line flag
    as_json: AsJson = False,  # noqa: FBT002 - a command line flag
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Evaluate a flag as the gateway would; the evaluation is not recorded."""
    settings = _settings(run_dir)
    context = FlagContext(user, _attributes(attribute or []))
    given = _value(default)

    async def work() -> tuple[FlagEvaluation, FlagState]:
        async with _open(settings) as client:
            kind = FlagKind.BOOLEAN if boolean else kind_of(given)
            return evaluate_as(client, name, context, given, kind), client.state

    evaluation, state = run(work())
    _warn(state)
    if as_json:
        print_json(EvaluationAnswer.of(evaluation))
        return
    members = [
        ("flag", evaluation.flag_name),
        ("value", orjson.dumps(evaluation.value).decode()),
        ("variant", evaluation.variant or "-"),
        ("reason", evaluation.reason),
    ]
    if evaluation.error_code:
        members.append(("error", evaluation.error_code))
    print_object("Evaluation", members)


def _attributes(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not name or not separator:
            raise typer.BadParameter("write name=value", param_hint="--attribute")
        found[name] = value
    return found


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
