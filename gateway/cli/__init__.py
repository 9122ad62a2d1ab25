"""`speechgate`: the operator's command line."""

import typer

from gateway.cli.database import db
from gateway.cli.keys import keys

app = typer.Typer(
    name="speechgate",
    help="Operate a speechgate installation.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They could show a key.
)
app.add_typer(keys, name="keys")
app.add_typer(db, name="db")

__all__ = ["app"]
