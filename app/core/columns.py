"""Column kinds that tables share: community codes, instants, JSON, lists of words, sealed bytes."""

from typing import Any

from sqlalchemy import CHAR, Boolean, CheckConstraint, Column, DateTime, LargeBinary, Table, Text, event, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field


def community_key() -> Any:
    """`community_code char(12)`, first column of the primary key."""
    return Field(sa_type=CHAR(12), primary_key=True)


def instant(*, nullable: bool = False, default_now: bool = False) -> Any:
    """A `timestamptz` column."""
    server_default = text("now()") if default_now else None
    return Field(
        default=None,
        sa_column=Column(DateTime(timezone=True), nullable=nullable, server_default=server_default),
    )


def json_column(default: str | None = None) -> Any:
    """A `jsonb` column; `default` is SQL text such as `'{}'`."""
    server_default = text(default) if default else None
    return Field(default=None, sa_column=Column(JSONB, nullable=default is None, server_default=server_default))


def words(name: str | None = None) -> Any:
    """A `text[]` column, empty by default."""
    return Field(default_factory=list, sa_column=Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'")))


SEALED = "sealed"
BLIND = "blind"
"""What a column says of itself to `app.core.rotation`."""


def sealed(context: str, *, nullable: bool = True) -> Any:
    """A `bytea` column for values sealed under `context`; found by this when keys change."""
    return Field(default=None, sa_column=Column(LargeBinary, nullable=nullable, info={SEALED: context}))


def blind_index_of(column: str, *, unique: bool = False) -> Any:
    """A nullable `bytea` column for the blind index of the sealed `column`, under the same context."""
    return Field(
        default=None, sa_column=Column(LargeBinary, nullable=True, unique=unique or None, info={BLIND: column})
    )


def digest_column() -> Any:
    """A nullable `bytea` column for a hash."""
    return Field(default=None, sa_column=Column(LargeBinary, nullable=True))


def counter(kind: Any) -> Any:
    """An integer column (`kind` an SQLAlchemy type) that starts at zero."""
    return Field(default=0, sa_type=kind, nullable=False, sa_column_kwargs={"server_default": text("0")})


def flag() -> Any:
    """A boolean column, false by default."""
    return Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))


def one_of(column: str, values: Any, name: str | None = None) -> CheckConstraint:
    """A named CHECK that a text column holds one of an enum's values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


@event.listens_for(CheckConstraint, "after_parent_attach")
def _name_check(constraint: CheckConstraint, parent: object) -> None:
    """`ck_<table>_<name>`, spelled out: Alembic compares each CHECK by its full name, not by a convention."""
    if isinstance(parent, Table) and constraint.name and not str(constraint.name).startswith("ck_"):
        constraint.name = f"ck_{parent.name}_{constraint.name}"
