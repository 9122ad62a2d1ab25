"""`speechgate db …`."""

import typer

from gateway.cli.environment import DEFAULT_RUN_DIR, RunDir, find_settings
from gateway.db.schema import MIGRATIONS
from shared.db.migrations import upgrade
from shared.db.revisions import head_revision

db = typer.Typer(help="The gateway's database.", no_args_is_help=True)


@db.callback()
def group() -> None:
    """The gateway's database."""


@db.command()
def migrate(run_dir: RunDir = DEFAULT_RUN_DIR) -> None:
    """Bring the database to the newest revision."""
    upgrade(MIGRATIONS, find_settings(run_dir).database_url)
    typer.echo(f"The database is at revision {head_revision(MIGRATIONS)}.")
