"""`pioneer rules`: the figures that change, and from which day on."""

from datetime import date
from typing import Annotated

import typer

from app.audit.service import SYSTEM
from app.cli.running import run_with_database
from app.core.db import EVERYWHERE, NOWHERE, Database, Scope
from app.core.errors import Problem
from app.rules import service as rules
from app.rules.schemas import RuleRead

app = typer.Typer(no_args_is_help=True, help="Figures that change, with their day and document.")


@app.command("list")
def list_rules() -> None:
    """What holds, what comes and what was, each with the document it comes from."""

    async def work(database: Database) -> list[RuleRead]:
        async with database.session(EVERYWHERE) as session:
            return await rules.list_rules(session)

    for one in run_with_database(work):
        typer.echo(f"{one.key} {one.value:g} {one.unit} from {one.effective_on} ({one.standing}) {one.source}")


@app.command("set")
def set_rule(
    key: Annotated[str, typer.Argument(help="As `pioneer rules list` calls it.")],
    value: Annotated[float, typer.Argument(help="The figure, in the rule's unit: 37.5, 90, and 1 or 0 for a switch.")],
    since: Annotated[str, typer.Option("--from", help="The day it begins to hold, YYYY-MM-DD; today or later.")],
    document: Annotated[str, typer.Option(help="The document it comes from.")],
) -> None:
    """Set a figure from a day on; what came in before stays as it was judged."""

    async def work(database: Database) -> None:
        async with database.session(Scope((NOWHERE,))) as session:
            await rules.set_rule(session, SYSTEM, key, date.fromisoformat(since), value, document)

    try:
        date.fromisoformat(since)
    except ValueError:
        raise typer.BadParameter("a day as YYYY-MM-DD", param_hint="--from") from None
    try:
        run_with_database(work)
    except Problem as error:
        typer.echo(error.en, err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{key}: {value:g} from {since}")
