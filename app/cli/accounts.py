"""`pioneer account`: the first accounts of a city."""

from typing import Annotated

import typer

from app.auth import service as auth
from app.auth import sessions
from app.auth.models import Role
from app.auth.schemas import AccountCreate
from app.cli.running import run_with_database
from app.core.db import EVERYWHERE, Database

app = typer.Typer(no_args_is_help=True, help="Accounts.")


@app.command("create")
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
