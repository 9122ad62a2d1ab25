"""`speechgate doctor`."""

import asyncio
from typing import Annotated

import orjson
import typer

from gateway.cli.environment import DEFAULT_RUN_DIR, RunDir
from gateway.cli.output import AsJson, logs_aside, print_table
from gateway.doctor.examination import DEFAULT_TIMEOUT_S, examine
from gateway.doctor.findings import Finding, Level

_SIGNS = {Level.OK: "ok", Level.WARNING: "warning", Level.ERROR: "ERROR"}


def doctor(
    *,
    as_json: AsJson = False,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout", min=1.0, max=120.0, help="Seconds that each check may take."),
    ] = DEFAULT_TIMEOUT_S,
    run_dir: RunDir = DEFAULT_RUN_DIR,
) -> None:
    """Check every dependency of this installation, and say what to do about it.

    The exit status is 1 if something does not work, and 0 otherwise, warnings included.
    """
    with logs_aside():
        found = asyncio.run(examine(run_dir, timeout_s))
    broken = any(finding.level is Level.ERROR for finding in found)
    if as_json:
        document = {"status": Level.ERROR if broken else Level.OK, "findings": found}
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)
    raise typer.Exit(int(broken))


def _show(found: list[Finding]) -> None:
    rows = [(_SIGNS[one.level], one.check, one.says, one.mend) for one in found]
    print_table(("", "what", "found", "to do"), rows)
    bad = [sum(one.level is level for one in found) for level in (Level.ERROR, Level.WARNING)]
    typer.echo(f"{bad[0]} errors, {bad[1]} warnings")
