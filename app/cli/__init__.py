"""`pioneer`: serve, migrate, import, demo, verify. One file for each part of the work; this one lists them."""

import sys

import typer
from pydantic import ValidationError

from app.cli import accounts, dividing, importing, keys, retention, serving, simulating, verifying
from app.cli.running import migrate_to_head
from app.core.config import Settings

__all__ = ["app", "main", "migrate_to_head"]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Pioneer Grid 先锋网格")
app.add_typer(serving.app)
app.add_typer(simulating.app)
app.add_typer(importing.app, name="import")
app.add_typer(dividing.app, name="areas")
app.add_typer(accounts.app, name="account")
app.add_typer(verifying.audit_app, name="audit")
app.add_typer(verifying.tally_app, name="tally")
app.add_typer(retention.app, name="retention")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Entry point. A setting that is wrong is said in a line: a traceback would print the secrets beside it."""
    try:
        app()
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for wrong in error.errors(include_input=False):
            name = "".join(f"PIONEER_{part}: ".upper() for part in wrong["loc"])
            typer.echo(name + wrong["msg"].removeprefix("Value error, "), err=True)
        sys.exit(2)
