"""`pioneer simulate`: an invented city of any size."""

import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.areas.service import DivisionEntry
from app.cli.database import open_url
from app.cli.running import run_with_database
from app.core.errors import Problem
from app.import_export.divisions import read_divisions
from app.import_export.readings import UnreadableFile
from app.simulation import plan
from app.simulation import service as simulation
from app.simulation.plan import SIZES, Size
from app.simulation.service import Progress, Wanted

app = typer.Typer()


@app.command()
def simulate(
    size: Annotated[
        Size | None, typer.Option(help="A community (500 households), a street (20,000), a district, a city.")
    ] = None,
    communities: Annotated[int | None, typer.Option(min=1, max=plan.MAX_COMMUNITIES, help="Instead of a size.")] = None,
    divisions: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The tree to people, as for import; else invented.")
    ] = None,
    under: Annotated[str, typer.Option(help="Only codes of the tree that begin so: 3701 for one city.")] = "",
    seed: Annotated[int, typer.Option(help="The same seed, day and tree make the same rows.")] = 1,
    on: Annotated[str | None, typer.Option(help="The day it is there, YYYY-MM-DD; today unless told.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one for each processor unless told.")] = None,
) -> None:
    """Make an invented city in an empty database: people, doors, areas, a round half done, care.

    Run again after it was cut off, it goes on. All its accounts have the demo's password, so a database with it is
    served on this machine only, as a demo is.
    """
    if (size is None) == (communities is None):
        typer.echo("Say how large: --size S|M|L|XL, or --communities N.", err=True)
        raise typer.Exit(2)
    count, households = SIZES[size] if size else (communities or 1, (communities or 1) * plan.HOUSEHOLDS_EACH)
    started = time.monotonic()
    teller = _Teller()
    try:
        tree = plan.cut_tree(_read_tree(divisions, under) if divisions else plan.invented_tree(count), count)
        day = date.fromisoformat(on) if on else None
        wanted = Wanted(tree, households, seed, day)
        city = run_with_database(lambda database: simulation.begin(database, wanted))
        simulation.people(open_url(), city, workers or os.cpu_count() or 1, teller.tell)
    except (ValueError, Problem, UnreadableFile) as error:
        teller.end()
        typer.echo(error.en if isinstance(error, Problem | UnreadableFile) else str(error), err=True)
        raise typer.Exit(2) from None
    teller.end()
    typer.echo(
        f"{len(city.plans):,} communities, {households:,} households, as of {city.on}, seed {seed}, "
        f"in {time.monotonic() - started:,.0f} s"
    )
    typer.echo(simulation.describe_accounts(city))


def _read_tree(file: Path, under: str) -> list[DivisionEntry]:
    rows = read_divisions(file, under=under).rows
    return [DivisionEntry(row.code, row.name, row.level, row.parent_code) for row in rows]


class _Teller:
    """Says how far it is: on a terminal once a second in one line, elsewhere a line every half minute."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._every = 1.0 if self._is_terminal else 30.0
        self._last = time.monotonic()
        self._has_told = False

    def tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < self._every:
            return
        self._last, self._has_told = now, True
        line = progress.step
        if progress.total:
            line += f": {progress.done:,} of {progress.total:,} communities, {progress.people:,} people"
        typer.echo(f"\r\x1b[K{line}" if self._is_terminal else line, nl=not self._is_terminal, err=True)

    def end(self) -> None:
        if self._is_terminal and self._has_told:
            typer.echo("", err=True)
