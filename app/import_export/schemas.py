"""Shapes of imports. What they show of people is masked; problems never repeat the value they speak of."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.import_export.models import ImportKind, ImportStatus

ColumnLetter = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
FieldName = Annotated[str, StringConstraints(max_length=40)]
Mapping = Annotated[dict[ColumnLetter, FieldName | None], Field(max_length=200)]
"""Column letter to what the column holds, null for a column that is not to be read."""


class ImportApply(BaseModel):
    """Run a previewed import for real, with another mapping if one is given."""

    model_config = ConfigDict(extra="forbid")

    mapping: Mapping | None = None


class ImportPreview(BaseModel):
    """Read the same file again with another mapping; an empty one is what the header words say."""

    model_config = ConfigDict(extra="forbid")

    mapping: Mapping


class ImportAccepted(BaseModel):
    """An import that waits its turn."""

    id: UUID


class ImportProgress(BaseModel):
    """How far it is, in rows of the sheets: each counts half when read and half when put into the registry."""

    done: int
    total: int


class ImportCounts(BaseModel):
    """`rows` are data rows of the file. Of a roster `created`, `updated` and `unchanged` count persons and vacant
    doors, of a division list divisions; `rejected` are rows of which nothing is registered."""

    rows: int = 0
    dwellings: int = 0
    vacant: int = 0
    households: int = 0
    persons: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


class ImportColumn(BaseModel):
    """A column and what it was taken for; `field` null: it is not read. Samples are masked."""

    letter: str
    header: str
    field: str | None
    samples: list[str]


class ImportRow(BaseModel):
    """A row from the top of a sheet, masked: one text for each of the sheet's `columns`."""

    row: int
    cells: list[str]


class ImportSheet(BaseModel):
    """A sheet and where its header row stands, null when it has none; `rows` are those around the header."""

    name: str
    header_row: int | None
    columns: list[ImportColumn]
    rows: list[ImportRow] = []


class PreviewPerson(BaseModel):
    """A person as they will be read, masked."""

    name: str
    relation: str
    sex: int
    birth_year: int | None
    id_kind: str
    id_masked: str | None
    phone_masked: str | None
    needs_id_check: bool
    tags: list[str]


class PreviewDoor(BaseModel):
    """A household behind its door, or a vacant door, as it will be read."""

    sheet: str
    row: int
    address: str
    is_vacant: bool
    head_name: str
    phone_masked: str | None
    tags: list[str]
    persons: list[PreviewPerson]


class ImportProblemRead(BaseModel):
    """What was wrong, where: `row` counts from 1 as in the sheet, 0 for the sheet as a whole."""

    sheet: str
    row: int
    column: str
    code: str
    severity: str
    message: str


class ImportProblemCount(BaseModel):
    """How many problems of one kind there are."""

    code: str
    severity: str
    message: str
    count: int


class ImportFailure(BaseModel):
    """Why nothing could be done with the file."""

    code: str
    message: str


class ImportBrief(BaseModel):
    """An import in a list."""

    id: UUID
    kind: ImportKind
    status: ImportStatus
    dry_run: bool
    community_code: str
    file_name: str
    created_at: datetime
    created_by_name: str
    finished_at: datetime | None
    progress: ImportProgress
    counts: ImportCounts
    error: ImportFailure | None


class ImportRead(ImportBrief):
    """An import with how its file was understood; `next_cursor` is of its problems, `problem_counts` of all.
    `mapping` is what a person said of its columns, null when nobody did."""

    mapping: dict[str, str | None] | None
    sheets: list[ImportSheet]
    preview: list[PreviewDoor]
    problem_counts: list[ImportProblemCount]
    problems: list[ImportProblemRead]
    next_cursor: str | None


class ImportPage(BaseModel):
    """A page of imports, newest first."""

    items: list[ImportBrief]
    next_cursor: str | None


class ImportField(BaseModel):
    """What a column of a roster may hold. `is_person`: with persons side by side in one row it may also be given as
    `memberN_` + field, N from 1."""

    field: str
    label: str
    is_person: bool


class ImportFieldPage(BaseModel):
    """Everything a column may hold; `next_cursor` is always null."""

    items: list[ImportField]
    next_cursor: str | None
