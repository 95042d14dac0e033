"""What the command line refuses before anything is served, secrets that are none and a demo on the network, and what
it loads before it does anything."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer
from sqlalchemy import text
from typer.core import TyperGroup
from typer.main import get_command
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


class TestHelp:
    """`pioneer --help` loads nothing of what it lists, and lists what is there."""

    def test_it_loads_none_of_the_service(self) -> None:
        program = (
            "import sys\nfrom app.cli import main\nsys.argv = ['pioneer', '--help']\ntry:\n    main()\n"
            "except SystemExit:\n    print(sorted({'fastapi', 'sqlalchemy', 'psycopg'} & {*sys.modules}))"
        )
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        assert said.endswith("[]\n")
        assert all(name in said for name in cli.PARTS)

    @pytest.mark.parametrize("name", list(cli.PARTS))
    def test_a_part_says_of_itself_what_the_list_says(self, name: str) -> None:
        group = get_command(cli.app)
        assert isinstance(group, TyperGroup)
        part = group.get_command(typer.Context(group), name)
        assert part is not None
        assert (part.help or "").split("\n\n")[0].replace("\n", " ") == cli.PARTS[name].help


def test_the_process_of_an_import_loads_neither_routes_nor_workbook_writers() -> None:
    program = "import sys, app.cli.working\nprint(sorted({'fastapi', 'openpyxl', 'alembic'} & {*sys.modules}))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
