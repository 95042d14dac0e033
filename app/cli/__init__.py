"""`pioneer`: serve, migrate, import, demo, verify. One file for each part of the work; this one lists them.

A part is loaded when it is asked for: the service alone takes seconds to load, which `pioneer --help` or the process
of an import need not wait for.
"""

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer
from pydantic_core import ValidationError
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Part(NamedTuple):
    """A command, or a group of commands: the file and the Typer it stands in, and its line in the list."""

    module: str
    help: str
    typer: str = "app"
    is_group: bool = True


PARTS = {
    "serve": Part("serving", "Start the database if it is ours, migrate, and serve API, docs and PWA.", is_group=False),
    "demo": Part(
        "serving",
        "Load a small invented town with demo accounts into an empty database, and print the accounts.",
        is_group=False,
    ),
    "migrate": Part("migrating", "Bring the database to the newest revision.", is_group=False),
    "worker": Part("serving", "Do the jobs of the queue, apart from the service.", is_group=False),
    "openapi": Part("serving", "Print the OpenAPI document.", is_group=False),
    "simulate": Part(
        "simulating",
        "Make an invented city in an empty database: people, doors, areas, a round half done, care.",
        is_group=False,
    ),
    "import": Part("importing", "Bring data in."),
    "areas": Part("dividing", "The division tree."),
    "account": Part("accounts", "Accounts."),
    "audit": Part("verifying", "The audit trail.", "audit_app"),
    "tally": Part("verifying", "Tallies.", "tally_app"),
    "rules": Part("rules", "Figures that change, with their day and document."),
    "retention": Part("retention", "What ends, and when."),
    "keys": Part("keys", "The keys that personal data is sealed with."),
}


class _Parts(TyperGroup):
    """The commands of `PARTS`; while they are only listed none is loaded."""

    _is_listing = False

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(PARTS)

    def get_command(self, _ctx: Any, name: str) -> Any:
        part = PARTS.get(name)
        if part is None:
            return None
        if self._is_listing:
            return TyperCommand(name, help=part.help)
        group = get_group(getattr(import_module(f"app.cli.{part.module}"), part.typer))
        return group if part.is_group else group.commands[name]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._is_listing = False


app = typer.Typer(cls=_Parts, no_args_is_help=True, add_completion=False)


@app.callback()
def pioneer() -> None:
    """Pioneer Grid 先锋网格"""


def main() -> None:
    """Entry point. A setting that is wrong is said in a line: a traceback would print the secrets beside it."""
    try:
        app()
    except ValidationError as error:
        if error.title != "Settings":
            raise
        for wrong in error.errors(include_input=False):
            name = "".join(f"PIONEER_{part}: ".upper() for part in wrong["loc"])
            typer.echo(name + wrong["msg"].removeprefix("Value error, "), err=True)
        sys.exit(2)
