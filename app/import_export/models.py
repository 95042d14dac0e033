"""Tables of imports: the job, its file while it is needed, what was wrong."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from app.core.columns import community_key, counter, flag, instant, json_column, one_of, sealed
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


class UndoStatus(StrEnum):
    """Where the undoing of an import stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class PartStatus(StrEnum):
    """Where one community's part of an import stands."""

    STAGED = "staged"
    DONE = "done"


class ImportJob(SQLModel, table=True):
    """One file somebody brought, and the last thing that was asked to be done with it.

    `community_code` is the community of a roster, or the division whose communities it is split among, and the city of
    a division list. `as_of` is of when the file is: what people entered later stands against it. `staged_at`: since
    when it is read and waits, community by community, to be put into the registry. `undo_until`: until
    when it can be undone (`app.import_undo`), null where nothing was written. A local table without row-level
    security: every query says which codes it may see.
    """

    __tablename__ = "import_job"
    __table_args__ = (
        one_of("kind", ImportKind),
        one_of("status", ImportStatus),
        one_of("undo_status", UndoStatus),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str
    status: str = Field(default="queued", sa_type=Text, sa_column_kwargs={"server_default": "queued"})
    is_dry_run: bool = flag()
    community_code: str | None = Field(default=None, sa_type=CHAR(12), index=True)
    file_name: str
    mapping: Any = json_column()
    as_of: datetime = instant(default_now=True)
    staged_at: datetime | None = instant(nullable=True)
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
    undo_until: datetime | None = instant(nullable=True)
    undo_status: str | None = Field(default=None, sa_type=Text)
    undone_at: datetime | None = instant(nullable=True)
    undone_by: UUID | None = None
    undone_by_name: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ImportFile(SQLModel, table=True):
    """A piece of the file itself, sealed; gone when the import's days are over."""

    __tablename__ = "import_file"

    import_id: UUID = Field(primary_key=True, foreign_key="import_job.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    content_sealed: bytes = sealed("import_file.content", nullable=False)


class ImportProblem(SQLModel, table=True):
    """One thing that was wrong with a file: where, which code, in words. `is_of_registry`: not with the file alone,
    it does not fit what is registered."""

    __tablename__ = "import_problem"
    __table_args__ = (one_of("severity", ("error", "warning")),)

    import_id: UUID = Field(primary_key=True, foreign_key="import_job.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    sheet: str
    row: int
    column: str
    code: str
    severity: str
    is_of_registry: bool = flag()
    message_zh: str
    message_en: str


class ImportPart(SQLModel, table=True):
    """What an import holds for one community, and what it did there: all of it in one transaction, or nothing yet."""

    __tablename__ = "import_part"
    __table_args__ = (one_of("status", PartStatus), Index("ix_import_part_import", "import_id", "community_code"))

    community_code: str = community_key()
    import_id: UUID = Field(primary_key=True)
    status: str = Field(default="staged", sa_type=Text, sa_column_kwargs={"server_default": "staged"})
    counts: Any = json_column("'{}'")
    # the community's clock after it, 0 when there was nothing to change
    version: int = counter(BigInteger)
    finished_at: datetime | None = instant(nullable=True)


class ImportDoors(SQLModel, table=True):
    """Doors of one community as they were read, waiting to be put into its registry; gone once they are."""

    __tablename__ = "import_doors"

    community_code: str = community_key()
    import_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    content_sealed: bytes = sealed("import_doors.content", nullable=False)


class ImportDifference(SQLModel, table=True):
    """A fact that the file and the registry give differently: the file's was taken, or the registry's kept because
    somebody had changed it after the file was made. Values are JSON, sealed."""

    __tablename__ = "import_difference"
    __table_args__ = (one_of("subject", ("household", "resident")),)

    community_code: str = community_key()
    import_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    subject: str
    subject_id: UUID
    household_id: UUID
    field: str
    is_kept: bool = flag()
    listed_sealed: bytes = sealed("import_difference.listed", nullable=False)
    registered_sealed: bytes = sealed("import_difference.registered", nullable=False)
    # who changed it after the file was made, when it was kept
    actor_name: str = ""
    changed_at: datetime | None = instant(nullable=True)
    sheet: str
    row: int
