"""What every command does first: the database started, migrated and opened."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config

from app.core.config import get_settings
from app.core.db import Database, start_embedded
from app.core.logging import configure_logging
from app.main import install_hooks

ROOT = Path(__file__).resolve().parents[2]
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
