"""Tables of the registry: dwellings, the households in them, their residents."""

from datetime import date, datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Column, Computed, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.core.columns import blind_index_of, community_key, counter, flag, instant, one_of, sealed, words
from app.core.ids import new_id


class HouseholdKind(StrEnum):
    """家庭户 or 集体户."""

    FAMILY = "family"
    COLLECTIVE = "collective"


class Sex(IntEnum):
    """GB/T 2261.1."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2
    NOT_STATED = 9


class IdKind(StrEnum):
    """Documents a person may show."""

    RESIDENT_ID = "resident_id"
    HK_MACAU_PERMIT = "hk_macau_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    PASSPORT = "passport"
    FOREIGNER_PERMIT = "foreigner_permit"
    OTHER = "other"
    NONE = "none"


class HouseholdTag(StrEnum):
    """What the committee knows of a household that changes how its door is worked."""

    LIVING_ALONE_ELDER = "living_alone_elder"
    HOUSEHOLD_IN_HARDSHIP = "household_in_hardship"
    TENANT = "tenant"
    CHRONIC_ILLNESS = "chronic_illness"
    DISABLED = "disabled"
    PREGNANT = "pregnant"
    INFANT = "infant"
    COLLECTIVE_HOUSEHOLD = "collective_household"


SEARCH_KEY = (
    r"regexp_replace(regexp_replace(lower(normalize("
    r"CASE WHEN compound || building || stair || room = '' THEN address "
    r"ELSE compound || building || '-' || stair || '-' || room END, NFKC)), '\s+', '', 'g'), "
    r"'(?<![0-9])-+|-+(?![0-9])', '', 'g')"
)
"""An address in one piece, dashes between numbers only; `app.people.search` brings what is typed into the same form."""


def beginnings(name: str, column: str) -> Index:
    """An index for what begins with something, in byte order, that a search of one community or of many can use."""
    return Index(name, column, "community_code", "id", postgresql_ops={column: "text_pattern_ops"})


def merged(name: str) -> Index:
    """An index from a household or person to those that were merged into it; the few rows that were."""
    return Index(name, "community_code", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL"))


class Dwelling(SQLModel, table=True):
    """A door 室: one address, vacant or lived in, inside one responsibility area or none."""

    __table_args__ = (
        UniqueConstraint("community_code", "address_key"),
        Index("ix_dwelling_area", "community_code", "responsibility_area_id"),
        beginnings("ix_dwelling_search", "search_key"),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    compound: str = ""
    building: str = ""
    stair: str = ""
    floor: int | None = None
    room: str = ""
    address: str = ""
    # compound, building, stair, room or the free address, tidied: what makes two doors the same door
    address_key: str
    # natural order: numbers inside names padded, so building 2 stands before building 10
    sort_key: str = Field(sa_column_kwargs={"server_default": text("''")})
    # 泉景园3-2-101: what an address is searched by; made by the database, whoever writes the row
    search_key: str | None = Field(default=None, sa_column=Column(Text, Computed(SEARCH_KEY, persisted=True)))
    is_vacant: bool = flag()
    responsibility_area_id: UUID | None = None
    version: int = counter(BigInteger)
    updated_at: datetime = instant(default_now=True)


class Household(SQLModel, table=True):
    """A household 户 living behind a door; the same door may hold several."""

    __table_args__ = (
        ForeignKeyConstraint(["community_code", "dwelling_id"], ["dwelling.community_code", "dwelling.id"]),
        Index("ix_household_dwelling", "community_code", "dwelling_id"),
        # a phone's command names a household without its community
        Index("ix_household_id", "id"),
        Index("ix_household_phone_index", "phone_index", "community_code"),
        merged("ix_household_merged"),
        one_of("kind", HouseholdKind),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    dwelling_id: UUID
    kind: str = Field(default=HouseholdKind.FAMILY, sa_type=Text, sa_column_kwargs={"server_default": "family"})
    head_name: str = ""
    head_initials: str = ""
    phone_sealed: bytes | None = sealed("household.phone")
    phone_index: bytes | None = blind_index_of("phone_sealed")
    tags: list[str] = words()
    note_sealed: bytes | None = sealed("household.note")
    # the day on which somebody last said them again, as they stand
    tags_said_on: date | None = None
    note_said_on: date | None = None
    resident_count: int = counter(BigInteger)
    is_closed: bool = flag()
    # the same household under another id: what still comes in for this one is that one's
    merged_into_id: UUID | None = None
    # of when the list is that the row came with: what it says, and nobody has changed since, is as old
    listed_at: datetime | None = instant(nullable=True)
    version: int = counter(BigInteger)
    updated_at: datetime = instant(default_now=True)


class Resident(SQLModel, table=True):
    """A person as a member of a household."""

    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index("ix_resident_household", "community_code", "household_id"),
        # the community last, so that one index serves a community and a whole city
        Index("ix_resident_id_index", "id_index", "community_code"),
        Index("ix_resident_phone_index", "phone_index", "community_code"),
        beginnings("ix_resident_name", "name"),
        beginnings("ix_resident_initials", "name_initials"),
        beginnings("ix_resident_pinyin", "name_pinyin"),
        Index("ix_resident_id", "id"),
        merged("ix_resident_merged"),
        one_of("id_kind", IdKind),
        one_of("sex", (0, 1, 2, 9)),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    household_id: UUID
    name: str
    name_initials: str = ""
    name_pinyin: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    sex: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    birth_on: date | None = None
    relation: str = ""
    workplace: str = ""
    id_kind: str = Field(default=IdKind.NONE, sa_type=Text, sa_column_kwargs={"server_default": "none"})
    id_sealed: bytes | None = sealed("resident.id")
    id_index: bytes | None = blind_index_of("id_sealed")
    phone_sealed: bytes | None = sealed("resident.phone")
    phone_index: bytes | None = blind_index_of("phone_sealed")
    tags: list[str] = words()
    needs_id_check: bool = flag()
    is_gone: bool = flag()
    # the same person under another id: what still comes in for this one is that one's
    merged_into_id: UUID | None = None
    # of when the list is that the row came with: what it says, and nobody has changed since, is as old
    listed_at: datetime | None = instant(nullable=True)
    version: int = counter(BigInteger)
    updated_at: datetime = instant(default_now=True)


class FieldChange(SQLModel, table=True):
    """When a fact of a household or a person was last changed, and by whom: what an edit made elsewhere on an
    older version is held against. Facts that never changed since they were first written have no row."""

    __tablename__ = "field_change"

    community_code: str = community_key()
    subject_id: UUID = Field(primary_key=True)
    field: str = Field(primary_key=True)
    version: int = counter(BigInteger)
    # null: the service itself
    actor_id: UUID | None = None
    actor_name: str = ""
    changed_at: datetime = instant(default_now=True)


class EditConflict(SQLModel, table=True):
    """冲突: a phone changed a fact that somebody else had changed since the phone last saw it.

    The server's value stands and the phone's is kept beside it until the committee decides. Values are JSON, sealed:
    names, numbers, notes. They end a time after the decision; that there was one, and what was kept, stays.
    """

    __tablename__ = "edit_conflict"
    __table_args__ = (
        ForeignKeyConstraint(["community_code", "household_id"], ["household.community_code", "household.id"]),
        Index(
            "ix_edit_conflict_open",
            "community_code",
            "id",
            postgresql_where=text("kept IS NULL"),
        ),
        one_of("subject", ("household", "resident")),
        one_of("kept", ("server", "phone")),
    )

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    command_id: UUID
    subject: str
    subject_id: UUID
    household_id: UUID
    field: str
    # empty once they have ended
    server_sealed: bytes | None = sealed("edit_conflict.server")
    phone_sealed: bytes | None = sealed("edit_conflict.phone")
    server_actor_name: str = ""
    server_changed_at: datetime = instant()
    actor_id: UUID | None = None
    actor_name: str = ""
    device_id: UUID | None = None
    base_version: int = counter(BigInteger)
    recorded_at: datetime = instant()
    filed_at: datetime = instant(default_now=True)
    kept: str | None = Field(default=None, sa_type=Text)
    resolved_by: UUID | None = None
    resolved_by_name: str = ""
    resolved_at: datetime | None = instant(nullable=True)
    # from the decision on: what nobody has decided yet waits
    delete_by: date | None = None
    version: int = counter(BigInteger)
