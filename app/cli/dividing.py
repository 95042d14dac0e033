"""`pioneer areas`: a new year's division list."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app import all_models
from app.adoption import mapping, service
from app.adoption.plan import Known, Listed, Part, Plan
from app.cli.running import run_with_database
from app.core.clock import today
from app.core.db import Database
from app.import_export.divisions import read_divisions
from app.import_export.readings import UnreadableFile

app = typer.Typer(no_args_is_help=True, help="The division tree.")
_SHOWN = 20


@app.callback()
def areas() -> None:
    """The division tree."""


@app.command("adopt")
def adopt(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="code,name,level; or villages.csv.")],
    under: Annotated[str, typer.Option(help="Only codes that begin so: 3701 for one city.")] = "",
    mapping_file: Annotated[
        Path | None, typer.Option("--mapping", help="Where questions are written and answers read; beside FILE.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="The day from which it holds, YYYY-MM-DD; today unless told.")] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds for running services to hear of it; 0 when none runs.")
    ] = service.HEARD_SECONDS,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; otherwise it is only told.")] = False,
) -> None:
    """Say what a new year's list changes: renamed, moved, merged, split, new; and with --apply do it.

    What the list alone does not tell is asked in the mapping file: fill in new_code and run again.
    """
    path = mapping_file or file.with_suffix(".mapping.csv")
    try:
        day = date.fromisoformat(on) if on else today()
        reading = read_divisions(file, under=under)
        answers = mapping.read_mapping(path.read_text("utf-8")) if path.exists() else {}
    except UnreadableFile as error:
        raise _refused(f"{file.name}: {error.en}") from None
    except mapping.MappingUnreadableError as error:
        raise _refused(f"{path.name}: {error}") from None
    except ValueError:
        raise _refused(f"{on} is no day") from None
    wrong = [found for found in reading.problems if found.severity == "error"]
    for found in wrong[:_SHOWN]:
        typer.echo(f"error: row {found.row}: {found.code}: {found.message_en}", err=True)
    if wrong:
        raise _refused(f"{file.name}: {len(wrong)} rows are wrong; a list is adopted whole or not at all")
    listed = [Listed(row.code, row.name, row.level, row.parent_code) for row in reading.rows]

    async def plan(database: Database) -> tuple[Plan, list[Known]]:
        return await service.plan_adoption(database, all_models.metadata, listed, answers, under)

    made, known = run_with_database(plan)
    _tell(made)
    if made.questions:
        path.write_text(mapping.write_mapping(made.questions, answers, {one.code: one for one in known}), "utf-8")
        typer.echo(f"{len(made.questions)} questions are in {path}")
    if not made.is_ready:
        raise typer.Exit(1)
    if not apply:
        typer.echo("Nothing has been changed; --apply does it.")
        return

    async def work(database: Database) -> int:
        return await service.apply_adoption(
            database, all_models.metadata, made, listed, on=day, source=file.name, wait=wait
        )

    typer.echo(f"Applied: the rows of {run_with_database(work):,} communities went along.")


def _refused(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(2)


def _tell(plan: Plan) -> None:
    for one in plan.problems:
        typer.echo(f"error: {one}", err=True)
    for word, pairs in (("renamed", plan.renamed), ("moved", plan.moved), ("merged", plan.merged)):
        _some(word, [f"{old.code} {old.name} -> {new.code} {new.name} ({old.doors} doors)" for old, new in pairs])
    _some("split", [f"{old.code} {old.name} -> {', '.join(_part(p) for p in parts)}" for old, parts in plan.split])
    _some("new", [f"{new.code} {new.name}" for new in plan.added])
    _some("ended", [f"{old.code} {old.name}" for old in plan.ended])
    _some("asked", [f"{q.old.code} {q.old.name} ({q.old.doors} doors)" for q in plan.questions])
    typer.echo(
        f"{plan.unchanged:,} unchanged, {len(plan.renamed):,} renamed, {len(plan.moved):,} moved, "
        f"{len(plan.merged):,} merged, {len(plan.split):,} split, {len(plan.added):,} new, {len(plan.ended):,} ended, "
        f"{len(plan.questions):,} to be asked"
    )


def _part(part: Part) -> str:
    return f"{part.new_code} ({part.by}{' ' + part.value if part.value else ''})"


def _some(word: str, lines: list[str]) -> None:
    for line in lines[:_SHOWN]:
        typer.echo(f"{word}: {line}")
    if len(lines) > _SHOWN:
        typer.echo(f"{word}: … and {len(lines) - _SHOWN:,} more")
