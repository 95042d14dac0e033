"""Tables of the phones' traffic."""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.core.columns import community_key, instant, one_of


class SyncCommand(SQLModel, table=True):
    """The answer given to a command id, repeated whenever that id comes again."""

    __tablename__ = "sync_command"
    __table_args__ = (one_of("status", ("accepted", "flagged", "rejected")),)

    community_code: str = community_key()
    id: UUID = Field(primary_key=True)
    name: str
    account_id: UUID
    device_id: UUID
    status: str
    code: str | None = None
    detail: str | None = None
    recorded_at: datetime = instant()
    # seconds by which the phone knew its clock to be ahead when it recorded this; `recorded_at` is free of them
    clock_error_s: int | None = None
    received_at: datetime = instant(default_now=True)


class ConfirmedDay(SQLModel, table=True):
    """How many records of an account the server confirmed on a Shanghai day: the phone shows this number."""

    __tablename__ = "confirmed_day"

    community_code: str = community_key()
    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    confirmed_count: int
