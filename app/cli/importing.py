"""`pioneer import`: division lists and rosters from files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.areas import service as areas
from app.audit.service import SYSTEM
from app.cli.running import run_with_database
from app.core.clock import today
from app.core.db import EVERYWHERE, NOWHERE, Database
from app.core.errors import Problem
from app.import_export import loading
from app.import_export.divisions import DivisionsReading, read_divisions
from app.import_export.error_workbook import write_error_workbook
from app.import_export.readings import RowProblem, UnreadableFile
from app.import_export.roster import read_roster
from app.import_export.schemas import ImportCounts

app = typer.Typer(no_args_is_help=True, help="Bring data in.")


@app.command("divisions")
def import_divisions(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="code,name,level; or villages.csv.")],
    under: Annotated[str, typer.Option(help="Only codes that begin so: 3701 for one city.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; write nothing.")] = False,
) -> None:
    """Load a division list; the files that name its parents are looked for beside it."""

    async def work(database: Database) -> tuple[DivisionsReading, loading.Loaded]:
        async with database.session(EVERYWHERE) as session:
            reading = read_divisions(file, under=under, known=await loading.known_codes(session, under))
            return reading, await loading.load_divisions(session, SYSTEM, NOWHERE, reading, is_dry_run=dry_run)

    try:
        reading, loaded = run_with_database(work)
    except UnreadableFile as error:
        typer.echo(f"{file.name}: {error.en}", err=True)
        raise typer.Exit(2) from None
    _echo_problems(loaded.problems)
    levels: Counter[str] = Counter(row.level for row in reading.rows)
    words = (("city", "cities"), ("district", "districts"), ("town", "towns"), ("community", "communities"))
    typer.echo(", ".join(f"{levels[one]:,} {one if levels[one] == 1 else many}" for one, many in words if levels[one]))
    _echo_counts(loaded.counts, dry_run)


@app.command("roster")
def import_roster(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A household roster, .xlsx or .csv.")],
    community: Annotated[str, typer.Option(help="12-digit code of the community whose roster it is.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do; write nothing.")] = False,
    errors: Annotated[Path | None, typer.Option(help="Write the file with the reasons in it, .xlsx.")] = None,
) -> None:
    """Load a community's roster, all of it or nothing."""
    content = file.read_bytes()

    async def work(database: Database) -> loading.Loaded:
        reading = read_roster(content, file.name, today=today())
        async with database.session(EVERYWHERE) as session:
            await areas.get_community_name(session, community)
            return await loading.load_roster(session, SYSTEM, community, reading, is_dry_run=dry_run)

    try:
        loaded = run_with_database(work)
        if errors is not None:
            errors.write_bytes(write_error_workbook(content, file.name, loaded.problems))
    except (UnreadableFile, Problem) as error:
        typer.echo(f"{file.name}: {error.en}", err=True)
        raise typer.Exit(2) from None
    _echo_problems(loaded.problems)
    counts = loaded.counts
    typer.echo(
        f"{counts.rows:,} rows: {counts.dwellings:,} dwellings ({counts.vacant:,} vacant), "
        f"{counts.households:,} households, {counts.persons:,} persons"
    )
    _echo_counts(counts, dry_run)
    if not counts.rows:
        raise typer.Exit(1)


def _echo_problems(problems: Sequence[RowProblem], at_most: int = 50) -> None:
    for found in problems[:at_most]:
        where = f"{found.sheet} {found.column}{found.row or ''}".strip()
        typer.echo(f"{found.severity}: {where}: {found.code}: {found.message_en}", err=True)
    if len(problems) > at_most:
        typer.echo(f"… and {len(problems) - at_most:,} more", err=True)


def _echo_counts(counts: ImportCounts, dry_run: bool) -> None:
    typer.echo(
        ("Would be: " if dry_run else "")
        + f"{counts.created:,} created, {counts.updated:,} updated, {counts.unchanged:,} unchanged, "
        + f"{counts.rejected:,} rejected"
    )
