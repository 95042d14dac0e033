"""`pioneer retention`: what ends, and when."""

from datetime import date
from typing import Annotated

import typer

from app.cli.running import run_with_database
from app.core.clock import today
from app.core.db import Database
from app.privacy import retention

app = typer.Typer(no_args_is_help=True, help="What ends, and when.")


@app.command("run")
def run_retention(
    on: Annotated[str | None, typer.Option(help="A day, YYYY-MM-DD; today unless told. Later days: dry runs.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is due; delete nothing.")] = False,
) -> None:
    """Delete what was learnt of people's health where its day has come, as the daily job does."""
    day = date.fromisoformat(on) if on else today()
    if day > today() and not dry_run:
        typer.echo("What is due on a later day is deleted on that day; ask with --dry-run.", err=True)
        raise typer.Exit(2)

    async def work(database: Database) -> list[retention.Deleted]:
        return await (retention.find_due(database, day) if dry_run else retention.run_retention(database, day))

    done = run_with_database(work)
    for one in done:
        typer.echo(f"{one.community_code} {one.kind.value}: {one.count:,}")
    typer.echo(f"{sum(one.count for one in done):,} rows {'due' if dry_run else 'emptied'} up to {day}")
