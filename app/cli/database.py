"""The database of a command: started where it is ours, and migrated."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from app.core.config import get_settings
from app.core.db import start_embedded

ROOT = Path(__file__).resolve().parents[2]


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
