"""Tables of undoing imports: what an import wrote in a community, what stood there before, what was left as it is."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, community_key, counter, instant, json_column, one_of, sealed, words
from app.core.ids import new_id


class ImportWritten(SQLModel, table=True):
    """What one import wrote in one community, all under `version`. Rows it made have ids from `low_id` to `high_id`
    (null: it made none), so none of them has to be written down.

    After the undo the figures are of what was done, `undone_version` its version, and the row stays as long as the
    differences of an import do; without one it goes with the hour.
    """

    __tablename__ = "import_written"
    __table_args__ = (Index("ix_import_written_import", "import_id", "community_code"),)

    community_code: str = community_key()
    import_id: UUID = Field(primary_key=True)
    version: int = counter(BigInteger)
    as_of: datetime = instant()
    low_id: UUID | None = None
    high_id: UUID | None = None
    door_count: int = counter(Integer)
    household_count: int = counter(Integer)
    person_count: int = counter(Integer)
    # facts of rows that were there before
    fact_count: int = counter(Integer)
    kept_count: int = counter(Integer)
    written_at: datetime = instant(default_now=True)
    undone_version: int = counter(BigInteger)


class ImportBefore(SQLModel, table=True):
    """What an import changed in a row that was there: the values of those columns before, and who had last changed
    these facts. Numbers and notes stay sealed as they were, so that keys change here as they do in the row itself.
    For the hour only."""

    __tablename__ = "import_before"
    __table_args__ = (one_of("kind", ("dwelling", "household", "resident")),)

    community_code: str = community_key()
    import_id: UUID = Field(primary_key=True)
    subject_id: UUID = Field(primary_key=True)
    kind: str
    # facts as people count them, and the columns that hold them
    facts: list[str] = words()
    columns: list[str] = words()
    before: Any = json_column("'{}'")
    # fact to its `field_change` before, null where it had none
    changes: Any = json_column("'{}'")
    id_sealed: bytes | None = sealed("resident.id")
    id_index: bytes | None = blind_index_of("id_sealed")
    phone_sealed: bytes | None = sealed("resident.phone")
    phone_index: bytes | None = blind_index_of("phone_sealed")
    home_phone_sealed: bytes | None = sealed("household.phone")
    home_phone_index: bytes | None = blind_index_of("home_phone_sealed")
    note_sealed: bytes | None = sealed("household.note")


class ImportLeft(SQLModel, table=True):
    """A household, or a door nobody lives behind, that an undo has left as it is because somebody had touched it:
    why, when and who, as it was known then."""

    __tablename__ = "import_left"
    __table_args__ = (Index("ix_import_left_import", "community_code", "import_id"),)

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    import_id: UUID
    dwelling_id: UUID
    household_id: UUID | None = None
    reason: str = Field(sa_type=Text)
    touched_at: datetime | None = instant(nullable=True)
    touched_by_name: str = ""
