"""`pioneer`: serve, migrate, import, demo, verify."""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

import typer
import uvicorn
from alembic import command
from alembic.config import Config
from pydantic import ValidationError
from sqlalchemy import text

from app import all_models
from app import demo as demo_town
from app.areas import service as areas
from app.audit import service as audit
from app.audit.service import SYSTEM
from app.auth import service as auth
from app.auth import sessions
from app.auth.models import Role
from app.auth.schemas import AccountCreate
from app.core import crypto, rotation
from app.core.clock import today
from app.core.config import LOOPBACK, Settings, get_settings
from app.core.db import EVERYWHERE, NOWHERE, Database, Scope, start_embedded
from app.core.errors import Problem
from app.core.logging import configure_logging
from app.import_export import loading
from app.import_export.divisions import DivisionsReading, read_divisions
from app.import_export.error_workbook import write_error_workbook
from app.import_export.readings import RowProblem, UnreadableFile
from app.import_export.roster import read_roster
from app.import_export.schemas import ImportCounts
from app.main import create_app, install_hooks, open_queue
from app.people import service as people
from app.privacy import retention
from app.rules import service as rules
from app.screening import service as screening

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Pioneer Grid 先锋网格")
account_app = typer.Typer(no_args_is_help=True, help="Accounts.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit trail.")
tally_app = typer.Typer(no_args_is_help=True, help="Tallies.")
import_app = typer.Typer(no_args_is_help=True, help="Bring data in.")
keys_app = typer.Typer(no_args_is_help=True, help="The keys that personal data is sealed with.")
retention_app = typer.Typer(no_args_is_help=True, help="What ends, and when.")
app.add_typer(retention_app, name="retention")
app.add_typer(account_app, name="account")
app.add_typer(audit_app, name="audit")
app.add_typer(tally_app, name="tally")
app.add_typer(import_app, name="import")
app.add_typer(keys_app, name="keys")

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
        database = Database(url, pool_size=4)
        await database.open()
        try:
            async with open_queue(database, run_worker=True):
                await asyncio.Event().wait()
        finally:
            await database.close()

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


@import_app.command("divisions")
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


@import_app.command("roster")
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


@retention_app.command("run")
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


@retention_app.command("set")
def set_retention(
    key: Annotated[str, typer.Argument(help="retention.screening or retention.care")],
    days: Annotated[int, typer.Argument(help="How long, from the day a record comes in.")],
    source: Annotated[str, typer.Option(help="The document it comes from.")],
    since: Annotated[str, typer.Option("--from", help="The day it begins to hold, YYYY-MM-DD.")],
) -> None:
    """Set how long something is kept; what is recorded from that day on ends by it."""

    async def work(database: Database) -> None:
        async with database.session(Scope((NOWHERE,))) as session:
            await rules.set_rule(session, SYSTEM, key, date.fromisoformat(since), days, source)

    try:
        run_with_database(work)
    except Problem as error:
        typer.echo(error.en, err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{key}: {days} days from {since}")


async def _count_keys(database: Database) -> Counter[str]:
    """Print how many values stand under which key; answers the sums by key."""
    counts = await rotation.count_by_key(database, rotation.sealed_tables(all_models.metadata))
    sums: Counter[str] = Counter()
    for found in counts:
        sums[found.key_id] += found.count
        typer.echo(f"{found.table}.{found.column}: {found.count:,} under key {found.key_id}")
    return sums


@keys_app.command("status")
def show_keys() -> None:
    """Say which keys there are and how much is sealed under each; exits 1 when a key is missing."""
    keys = crypto.key_ring().keys
    sums = run_with_database(_count_keys)
    typer.echo(f"Key {keys.current} writes; known: {', '.join(keys.ciphers)}; index keys: {len(keys.index_keys)}")
    unknown = sorted(set(sums) - set(keys.ciphers))
    if unknown:
        typer.echo(f"Nobody here can read what is under {', '.join(unknown)}", err=True)
    raise typer.Exit(1 if unknown else 0)


@keys_app.command("rotate")
def rotate_keys(
    index: Annotated[bool, typer.Option("--index", help="Change the blind index's key too.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Rows in one transaction.")] = rotation.BATCH,
) -> None:
    """Seal everything under a new first key while the service runs; run again, it goes on where it was killed.

    Keys in a file get a new one from here, unless a rotation is unfinished. Keys in the environment are the
    operator's to change: the first of them is taken as the new one.
    """
    ring = crypto.key_ring()
    tables = rotation.sealed_tables(all_models.metadata)

    def tell(progress: rotation.Progress) -> None:
        typer.echo(f"\r{progress.rows:,} rows", nl=False, err=True)

    async def work(database: Database) -> tuple[int, rotation.Progress]:
        left = _others(await _count_keys(database), ring)
        has_old_index = len(ring.keys.index_keys) > 1
        if ring.file is not None:
            if left == 0:
                typer.echo(f"New key {rotation.add_key(ring.file, today())} in {ring.file}")
            if index and not has_old_index:
                rotation.add_key(ring.file, today(), index=True)
                typer.echo(f"New index key in {ring.file}")
            ring.refresh(at_once=True)
            # until every service has taken up the file, some still write under the old key
            await asyncio.sleep(crypto.RELOAD_SECONDS * 2)
        indexes = len(ring.keys.index_keys) > 1
        done, is_settled = rotation.Progress(), False
        for _ in range(10):
            one = await rotation.reseal(database, ring, tables, indexes=indexes, batch=batch, on_progress=tell)
            done.rows, done.unreadable = done.rows + one.rows, one.unreadable
            is_settled = one.met == 0
            if is_settled:
                break
        typer.echo("", err=True)
        left = _others(await _count_keys(database), ring)
        if indexes and is_settled and not done.unreadable and ring.file is not None:
            rotation.drop_old_index_keys(ring.file)
            typer.echo("Every blind index is under the new index key; the old one is gone from the file")
        async with database.session(Scope((NOWHERE,))) as session:
            counts = {"rows": done.rows, "left": left, "indexes": indexes}
            await audit.append_entry(session, SYSTEM, NOWHERE, "rotate_keys", [ring.current], counts)
        return left, done

    left, done = run_with_database(work)
    for where, count in done.unreadable.items():
        typer.echo(f"{where}: {count:,} values that no known key opens", err=True)
    typer.echo(f"{done.rows:,} rows sealed anew; {left:,} values left under other keys than {ring.current}")
    raise typer.Exit(1 if left else 0)


def _others(sums: Counter[str], ring: crypto.KeyRing) -> int:
    """How many values stand under other keys than the one that writes."""
    return sum(count for key_id, count in sums.items() if key_id != ring.current)


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


if __name__ == "__main__":
    main()
