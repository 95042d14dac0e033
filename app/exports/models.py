"""Tables of exports: that somebody took a list away."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.core.columns import community_key, instant, sealed
from app.core.ids import new_id


class ExportRecord(SQLModel, table=True):
    """One list taken away as a workbook, written once.

    `community_code` is the division it was about, of any level; of a list that is about none it is twelve zeros.
    The filter is sealed: somebody may have searched for a person.
    """

    __tablename__ = "export_record"

    community_code: str = community_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    what: str
    filter_sealed: bytes | None = sealed("export_record.filter")
    row_count: int
    actor_id: UUID
    actor_name: str
    device_id: UUID | None = None
    at: datetime = instant(default_now=True)
