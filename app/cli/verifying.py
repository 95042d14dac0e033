"""`pioneer audit | tally verify`: whether trail and tallies hold."""

import typer
from sqlalchemy import text

from app.audit import service as audit
from app.cli.running import run_with_database
from app.core.db import EVERYWHERE, Database
from app.people import service as people
from app.screening import service as screening

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
tally_app = typer.Typer(no_args_is_help=True, help="Tallies.")


@audit_app.command("verify")
def verify_audit() -> None:
    """Walk every chain of the audit trail; says where one is broken and exits 1."""
    count, broken = run_with_database(audit.verify_chains)
    for link in broken:
        typer.echo(f"broken: community {link.community_code} entry {link.seq}: {link.reason}", err=True)
    typer.echo(f"{count} entries, {len(broken)} broken")
    raise typer.Exit(1 if broken else 0)


@tally_app.command("verify")
def verify_tallies() -> None:
    """Recompute all tallies from the rows; says where one has drifted and exits 1."""

    async def work(database: Database) -> list[people.TallyDrift | screening.TallyDrift]:
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            return [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)]

    drifts = run_with_database(work)
    for drift in drifts:
        typer.echo(f"{drift.community_code} {drift.name}: {drift.tally}, recounted {drift.recount}", err=True)
    typer.echo(f"{len(drifts)} tallies differ")
    raise typer.Exit(1 if drifts else 0)
