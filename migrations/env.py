"""Alembic's environment: one connection as the owner, bounded waits, one migration at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.all_models import metadata
from app.core.config import get_settings
from app.core.db import sqlalchemy_url, start_embedded

LOCK = 0x70696F6E


def database_url() -> str:
    """The owner's URL: given by the caller, set in the environment, or the embedded server's."""
    given = context.config.attributes.get("database_url")
    if given:
        return str(given)
    settings = get_settings()
    return settings.database_url or start_embedded(settings.data_dir)


def is_ours(obj: object, name: str | None, kind: str, *_: object) -> bool:
    """The job queue's tables come with their own schema file and are not described by our metadata."""
    table = getattr(obj, "table", None)
    owner = name if kind == "table" else getattr(table, "name", None)
    return not (owner or "").startswith("procrastinate_")


def run_migrations() -> None:
    """Run what was asked for, holding an advisory lock so that two starts do not race."""
    engine = create_engine(sqlalchemy_url(database_url()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '30s'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_object=is_ours,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
            autogenerate_plugins=["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.commit()
    engine.dispose()


run_migrations()
