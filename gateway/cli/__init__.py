"""`speechgate`: the operator's command line."""

import typer

from gateway.cli.database import db
from gateway.cli.doctor import doctor
from gateway.cli.flags import flags
from gateway.cli.keys import keys
from gateway.cli.organizations import organizations
from gateway.cli.plans import plans
from gateway.cli.users import users

app = typer.Typer(
    name="speechgate",
    help="Operate a speechgate installation.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # They could show a key.
)
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")
app.add_typer(organizations, name="organizations")
app.add_typer(plans, name="plans")
app.add_typer(flags, name="flags")
app.add_typer(db, name="db")
app.command()(doctor)

__all__ = ["app"]
