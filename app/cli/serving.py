"""Serving, and what a service needs: `pioneer serve | worker | demo | openapi`."""

import asyncio
import contextlib
import json
import signal
import sys
from typing import Annotated

import typer
import uvicorn

from app import demo as demo_town
from app.cli.database import open_url
from app.cli.running import run_with_database
from app.core.config import LOOPBACK, get_settings
from app.core.db import Database
from app.core.logging import configure_logging
from app.core.memory import settle
from app.hooks import install_hooks
from app.main import create_app, open_queue
from app.web import keep_build

app = typer.Typer()


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
    keep_build(settings.frontend_dir, settings.earlier_builds)
    typer.echo(f"Pioneer Grid 先锋网格: http://{settings.host}:{settings.port}")
    served = create_app(open_url())
    settle()
    uvicorn.run(
        served, host=settings.host, port=settings.port, log_level="warning", access_log=False,
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
