"""`pioneer`: serve, migrate, import, demo, verify."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import uvicorn
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from app import demo as demo_town
from app.audit import service as audit
from app.auth import service as auth
from app.auth import sessions
from app.auth.models import Role
from app.auth.schemas import AccountCreate
from app.core.config import LOOPBACK, get_settings
from app.core.db import EVERYWHERE, Database, start_embedded
from app.core.logging import configure_logging
from app.main import create_app, install_hooks, open_queue
from app.people import service as people
from app.screening import service as screening

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Pioneer Grid 先锋网格")
account_app = typer.Typer(no_args_is_help=True, help="Accounts.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
tally_app = typer.Typer(no_args_is_help=True, help="Tallies.")
import_app = typer.Typer(no_args_is_help=True, help="Bring data in.")
app.add_typer(account_app, name="account")
app.add_typer(audit_app, name="audit")
app.add_typer(tally_app, name="tally")
app.add_typer(import_app, name="import")

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


def open_url() -> str:
    """The owner's database URL: the one given, or the embedded server's, started."""
    settings = get_settings()
    return settings.database_url or start_embedded(settings.data_dir)


def migrate_to_head(url: str) -> None:
    """Bring the database to the newest revision."""
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["database_url"] = url
    command.upgrade(config, "head")


def run_with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Open the migrated database, do the work, close it."""
    configure_logging(json_lines=False)
    install_hooks()
    url = open_url()
    migrate_to_head(url)

    async def run() -> T:
        database = Database(url, pool_size=4)
        await database.open()
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


@app.command()
def serve() -> None:
    """Start the database if it is ours, migrate, and serve API, docs and PWA."""
    settings = get_settings()
    configure_logging()
    if settings.demo:
        run_with_database(_load_demo_if_empty)
    if run_with_database(demo_town.has_demo) and settings.host not in LOOPBACK and not settings.demo_on_network:
        typer.echo(
            "This database holds demo accounts with known passwords and will not be served on "
            f"{settings.host}. Use a database without a demo, or say PIONEER_DEMO_ON_NETWORK=true.",
            err=True,
        )
        raise typer.Exit(2)
    configure_logging()
    # uvicorn raises a signal it has caught once more when it is done; dying of that would leave the
    # embedded server running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    typer.echo(f"Pioneer Grid 先锋网格: http://{settings.host}:{settings.port}")
    uvicorn.run(
        create_app(open_url()), host=settings.host, port=settings.port, log_level="warning", access_log=False,
        proxy_headers=True, server_header=False, timeout_graceful_shutdown=10,
    )  # fmt: skip


async def _load_demo_if_empty(database: Database) -> bool:
    """Load the demo where nobody has an account yet; answers whether the database holds a demo."""
    if await demo_town.is_empty(database):
        await demo_town.load_demo(database)
    return await demo_town.has_demo(database)


@app.command()
def demo(
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Say nothing when the database is in use.")] = False,
) -> None:
    """Load a small invented town with demo accounts into an empty database, and print the accounts."""
    if run_with_database(_load_demo_if_empty):
        typer.echo(demo_town.describe_accounts())
    elif not if_empty:
        typer.echo("This database already has accounts of its own; a demo goes into an empty one only.", err=True)
        raise typer.Exit(2)


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    migrate_to_head(open_url())


@app.command()
def worker() -> None:
    """Do the jobs of the queue, apart from the service."""
    configure_logging()
    install_hooks()

    async def run(url: str) -> None:
        async with open_queue(url, run_worker=True):
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(open_url()))


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    document = create_app().openapi()
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True))


@account_app.command("create")
def create_account(
    login: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    role: Annotated[Role, typer.Option()],
    division: Annotated[str, typer.Option(help="12-digit division code the role holds for.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)],
    phone: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Make an account; the first ones of a city come this way."""
    new = AccountCreate(login=login, name=name, role=role, division_code=division, password=password, phone=phone)

    async def work(database: Database) -> None:
        password_hash = await sessions.hash_password(password)
        async with database.session(EVERYWHERE) as session:
            await auth.create_account(session, None, new, password_hash)

    run_with_database(work)
    typer.echo(f"{login}: {role.value} of {division}")


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


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
