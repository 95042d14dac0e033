"""What most commands do first: the database started, migrated and opened."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.cli.database import migrate_to_head, open_url
from app.core.db import Database
from app.core.logging import configure_logging
from app.hooks import install_hooks

T = TypeVar("T")


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
