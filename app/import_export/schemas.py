"""Shapes of imports. What they show of people is masked; problems never repeat the value they speak of."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.import_export.models import ImportKind, ImportStatus

ColumnLetter = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
FieldName = Annotated[str, StringConstraints(max_length=40)]
Mapping = Annotated[dict[ColumnLetter, FieldName | None], Field(max_length=200)]
"""Column letter to what the column holds, null for a column that is not to be read."""


class ImportApply(BaseModel):
    """Run a previewed import for real, with another mapping or another day of the file if one is given."""

    model_config = ConfigDict(extra="forbid")

    mapping: Mapping | None = None
    as_of: date | AwareDatetime | None = None


class ImportPreview(BaseModel):
    """Read the same file again with another mapping (an empty one is what the header words say), or compare it as a
    file of another day; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    mapping: Mapping | None = None
    as_of: date | AwareDatetime | None = None


class ImportAccepted(BaseModel):
    """An import that waits its turn."""

    id: UUID


class ImportProgress(BaseModel):
    """How far it is, in rows of the sheets: each counts half when read and half when put into the registry."""

    done: int
    total: int


class ImportCounts(BaseModel):
    """`rows` are data rows of the file. Of a roster `created`, `updated` and `unchanged` count persons and vacant
    doors, of a division list divisions; `rejected` are rows of which nothing is registered; `kept` are facts that stand
    against the file, because somebody changed them after it was made; `asked` people whom the file places where the
    registry has them not, left as they are until somebody has asked."""

    rows: int = 0
    dwellings: int = 0
    vacant: int = 0
    households: int = 0
    persons: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    asked: int = 0
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
    """An import in a list. `community_code` is a community, or the division whose communities a file was split among;
    `as_of` of when the file is. Who holds only some of its communities sees counts of theirs (`is_part`)."""

    id: UUID
    kind: ImportKind
    status: ImportStatus
    dry_run: bool
    community_code: str
    file_name: str
    as_of: datetime
    created_at: datetime
    created_by_name: str
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by_name: str
    progress: ImportProgress
    counts: ImportCounts
    is_part: bool
    error: ImportFailure | None


class ImportDifferenceCounts(BaseModel):
    """Facts that stand against the file, facts taken from it, and people whose place has to be asked."""

    kept: int
    taken: int
    asked: int


class ImportRead(ImportBrief):
    """An import with how its file was understood; `next_cursor` is of its problems, `problem_counts` of all.
    `mapping` is what a person said of its columns, null when nobody did. `communities`: how many of those it is split
    among are written; `differences`: facts that file and registry give differently. Sheets, preview and problems are
    for who holds all of it."""

    mapping: dict[str, str | None] | None
    communities: ImportProgress
    differences: ImportDifferenceCounts
    sheets: list[ImportSheet]
    preview: list[PreviewDoor]
    problem_counts: list[ImportProblemCount]
    problems: list[ImportProblemRead]
    next_cursor: str | None


class ImportDifferenceRead(BaseModel):
    """A fact that file and registry give differently, masked. `kept`: somebody (`actor_name`) changed it after the file
    was made, and the registry's stands. `asked`: the file names somebody who has gone (`is_gone`, with the reason) or
    lives behind another door (`place`), and is not older than that; they are left as they are."""

    community_code: str
    sheet: str
    row: int
    subject: str
    subject_id: UUID
    household_id: UUID
    address: str
    name: str
    field: str
    listed: str | list[str] | None
    registered: str | list[str] | None
    outcome: Literal["kept", "taken", "asked"]
    actor_name: str
    changed_at: datetime | None


class ImportDifferencePage(BaseModel):
    """A page of differences, by community and row."""

    items: list[ImportDifferenceRead]
    next_cursor: str | None


class ImportPartRead(BaseModel):
    """What an import did, or would do, in one community."""

    community_code: str
    community_name: str
    status: Literal["staged", "done"]
    counts: ImportCounts


class ImportPartPage(BaseModel):
    """A page of an import's communities, in code order."""

    items: list[ImportPartRead]
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
