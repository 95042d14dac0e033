"""What the command line refuses before anything is served: secrets that are none, and a demo on the network."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app import cli
from app.core import crypto
from app.core.config import get_settings
from app.core.db import EVERYWHERE, Database

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `pioneer …` over this test's database, with more settings if given."""
    monkeypatch.setenv("PIONEER_DATABASE_URL", database_url)

    def go(*words: str, **more: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in more.items():
                patch.setenv(name, value)
            get_settings.cache_clear()
            crypto.key_ring.cache_clear()
            try:
                return CliRunner().invoke(cli.app, list(words))
            finally:
                get_settings.cache_clear()
                crypto.key_ring.cache_clear()

    return go


@pytest.mark.parametrize("secret", ["changeme", "secret", "a-little-short"])
def test_a_secret_that_is_none_is_refused_before_the_database_is_touched(run: Run, secret: str) -> None:
    refused = run("migrate", PIONEER_SECRET_KEY=secret)
    assert refused.exit_code != 0
    assert "PIONEER_SECRET_KEY is a placeholder or shorter than 32 characters" in str(refused.exception)


async def test_a_demo_is_not_served_to_the_network(run: Run, database: Database) -> None:
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("UPDATE account SET is_demo = true WHERE login = 'worker'"))
    refused = await asyncio.to_thread(run, "serve", PIONEER_HOST="0.0.0.0")
    assert refused.exit_code == 2, refused.output
    assert "known passwords and will not be served on 0.0.0.0" in refused.output
    assert "PIONEER_DEMO_ON_NETWORK=true" in refused.output
