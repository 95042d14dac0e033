"""`pioneer migrate`."""

import typer

from app.cli.database import migrate_to_head, open_url

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    migrate_to_head(open_url())
