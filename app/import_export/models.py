"""Tables of imports: the job, its file while it is needed, what was wrong."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, Text
from sqlmodel import Field, SQLModel

from app.core.columns import flag, instant, json_column, one_of, sealed
from app.core.ids import new_id


class ImportKind(StrEnum):
    """What a file holds."""

    ROSTER = "roster"
    DIVISIONS = "divisions"


class ImportStatus(StrEnum):
    """Where an import stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PREVIEWED = "previewed"
    DONE = "done"
    FAILED = "failed"


class ImportJob(SQLModel, table=True):
    """One file somebody brought, and the last thing that was asked to be done with it.

    `community_code` is the community of a roster and the city of a division list. A local table without row-level
    security: every query says which codes it may see.
    """

    __tablename__ = "import_job"
    __table_args__ = (one_of("kind", ImportKind), one_of("status", ImportStatus))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    status: str = Field(default="queued", sa_type=Text, sa_column_kwargs={"server_default": "queued"})
    is_dry_run: bool = flag()
    community_code: str | None = Field(default=None, sa_type=CHAR(12), index=True)
    file_name: str
    mapping: Any = json_column()
    progress_done: int = 0
    progress_total: int = 0
    counts: Any = json_column("'{}'")
    sheets: Any = json_column("'[]'")
    preview_sealed: bytes | None = sealed("import_job.preview_sealed")
    error_code: str | None = None
    error_zh: str | None = None
    error_en: str | None = None
    created_by: UUID
    created_by_name: str
    # who asked last for it to be read or applied: the doer of the trail's entry
    run_by: UUID
    run_by_name: str
    created_at: datetime = instant(default_now=True)
    finished_at: datetime | None = instant(nullable=True)


class ImportFile(SQLModel, table=True):
    """The file itself, sealed; gone when the import's days are over."""

    __tablename__ = "import_file"

    import_id: UUID = Field(primary_key=True, foreign_key="import_job.id", ondelete="CASCADE")
    content_sealed: bytes = sealed("import_file.content", nullable=False)


class ImportProblem(SQLModel, table=True):
    """One thing that was wrong with a file: where, which code, in words."""

    __tablename__ = "import_problem"
    __table_args__ = (one_of("severity", ("error", "warning")),)

    import_id: UUID = Field(primary_key=True, foreign_key="import_job.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    sheet: str
    row: int
    column: str
    code: str
    severity: str
    message_zh: str
    message_en: str
