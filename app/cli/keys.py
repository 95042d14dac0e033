"""`pioneer keys`: what is sealed under which key, and new keys while the service runs."""

import asyncio
from collections import Counter
from typing import Annotated

import typer

from app import all_models
from app.audit import service as audit
from app.audit.service import SYSTEM
from app.cli.running import run_with_database
from app.core import crypto, rotation
from app.core.clock import today
from app.core.db import NOWHERE, Database, Scope

app = typer.Typer(no_args_is_help=True, help="The keys that personal data is sealed with.")


async def _count_keys(database: Database) -> Counter[str]:
    """Print how many values stand under which key; answers the sums by key."""
    counts = await rotation.count_by_key(database, rotation.sealed_tables(all_models.metadata))
    sums: Counter[str] = Counter()
    for found in counts:
        sums[found.key_id] += found.count
        typer.echo(f"{found.table}.{found.column}: {found.count:,} under key {found.key_id}")
    return sums


@app.command("status")
def show_keys() -> None:
    """Say which keys there are and how much is sealed under each; exits 1 when a key is missing."""
    keys = crypto.key_ring().keys
    sums = run_with_database(_count_keys)
    typer.echo(f"Key {keys.current} writes; known: {', '.join(keys.ciphers)}; index keys: {len(keys.index_keys)}")
    unknown = sorted(set(sums) - set(keys.ciphers))
    if unknown:
        typer.echo(f"Nobody here can read what is under {', '.join(unknown)}", err=True)
    raise typer.Exit(1 if unknown else 0)


@app.command("rotate")
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
