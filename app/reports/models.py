"""Tables of figures that come from outside."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, flag, instant
from app.core.ids import new_id


class ExpectedHeadcount(SQLModel, table=True):
    """How many households and people an official source says a community has, as of a day; null is unknown.

    `is_newest` marks the one that counts in a community: figures read one row each, however long the history.
    """

    __tablename__ = "expected_headcount"
    __table_args__ = (
        # the day before the source: the newest of a community is found at the end of this index
        UniqueConstraint("community_code", "as_of", "source"),
        Index(
            "ix_expected_headcount_newest",
            "community_code",
            postgresql_ops={"community_code": "bpchar_pattern_ops"},
            postgresql_where=text("is_newest"),
        ),
        CheckConstraint("households >= 0 AND residents >= 0", name="counts_not_negative"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    source: str
    as_of: date
    households: int | None = None
    residents: int | None = None
    received_at: datetime = instant(default_now=True)
    is_newest: bool = flag()


class ExpectedVersion(SQLModel, table=True):
    """One row that rises with each change of any official count, by which sums of them are known to hold."""

    __tablename__ = "expected_version"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=1, primary_key=True)
    version: int = counter(BigInteger)
