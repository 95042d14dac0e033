"""Shapes of the phones' traffic."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.questions.models import Standard
from app.questions.schemas import Question
from app.screening.schemas import PersonAnswer

MAX_COMMANDS = 50
MAX_UNSENT = 2000
"""Records in an exported file: some days of a phone that never got through."""
MAX_UNSENT_PHOTOS = 20
"""Photos in one piece of such a file, each as large as a photo may be: a file is brought in pieces."""

MAX_SEALED_COMMANDS = 50_000
MAX_SEALED_PHOTOS = 1000
"""A sealed file comes whole: bounds against a malformed one, far above what a phone puts into it."""
MAX_SEALED_BYTES = 64_000_000
"""20 MB of pictures are 27 in base64; the rest is records."""


class RoundBrief(BaseModel):
    """An open round, as a phone carries it. `revision`: 0 where there is nothing more to know of it; another than the
    phone has: fetch `/sync/rounds/{id}`. `is_day`: a day of a daily round, worked on that day alone."""

    id: UUID
    title: str
    starts_on: date
    ends_on: date
    revision: int
    is_day: bool


class SyncRound(BaseModel):
    """What a phone has to know of a round: the newest version of its questions, those of the standard ones that are
    asked, and the households of the area it is for (null: all)."""

    id: UUID
    revision: int
    version: int
    standard: list[Standard]
    questions: list[Question]
    targets: list[UUID] | None


class FindingRules(BaseModel):
    """What is followed up at once of what is recorded from a day on: a temperature from so many °C, and whether a
    symptom and a contact are."""

    model_config = ConfigDict(from_attributes=True)

    from_on: date
    temperature_c: float
    symptoms: bool
    contact: bool


class SyncAreaRead(BaseModel):
    """A responsibility area one holds. `fever_from`: °C from which a temperature is followed up, by today's rule.
    `findings`: the rules of the last two months and of the next days, oldest first; on a day the last that has begun
    holds."""

    id: UUID
    community_code: str
    community_name: str
    name: str
    epoch: int
    version: int
    household_count: int
    fever_from: float
    findings: list[FindingRules]
    rounds: list[RoundBrief]


class DwellingColumns(BaseModel):
    """Doors, a column a fact: id, compound, building, stair, floor, room, free address, vacant."""

    i: list[UUID]
    c: list[str]
    b: list[str]
    s: list[str]
    f: list[int | None]
    r: list[str]
    a: list[str]
    v: list[int]


class HouseholdColumns(BaseModel):
    """Households: id, index of the dwelling, head, initials, kind, tags, phone, note."""

    i: list[UUID]
    d: list[int]
    h: list[str]
    y: list[str]
    k: list[str]
    t: list[list[str]]
    p: list[str | None]
    n: list[str | None]


class ResidentColumns(BaseModel):
    """Residents: id, index of the household, name, initials, sex, birth year, relation, ID to be checked."""

    i: list[UUID]
    h: list[int]
    n: list[str]
    y: list[str]
    s: list[int]
    b: list[int | None]
    r: list[str]
    x: list[int]


class StateColumns(BaseModel):
    """Where households stand: index, round, outcome, attempts, when (epoch seconds), by whom; when people were last
    asked and by whom; the parts of the day in which nobody opened (morning 1, afternoon 2, evening 4, added up); a door
    notice: 0 none, 1 due, 2 left."""

    h: list[int]
    q: list[UUID]
    o: list[str]
    c: list[int]
    t: list[int]
    w: list[str]
    a: list[int | None]
    b: list[str]
    p: list[int]
    n: list[int]


class CheckColumns(BaseModel):
    """Who was answered for: index of the resident, round, status, temperature, 1 for a contact."""

    r: list[int]
    q: list[UUID]
    s: list[str]
    t: list[float | None]
    k: list[int]


class CareColumns(BaseModel):
    """Care: index of the household, resident, last condition, when, next on."""

    h: list[int]
    r: list[UUID | None]
    l: list[str]  # noqa: E741 - the wire's letter
    t: list[int | None]
    n: list[date | None]


class ReportColumns(BaseModel):
    """Self-reports nobody has confirmed: index of the household, id, round, when (epoch seconds), answers."""

    h: list[int]
    i: list[UUID]
    q: list[UUID]
    t: list[int]
    p: list[list[PersonAnswer]]


class AreaUpserts(BaseModel):
    """What is new or changed, each household whole."""

    dwellings: DwellingColumns
    households: HouseholdColumns
    residents: ResidentColumns
    states: StateColumns
    checks: CheckColumns
    care: CareColumns
    reports: ReportColumns


class AreaPull(BaseModel):
    """A pull of one area: everything (`reset`) or what changed since."""

    version: int
    epoch: int
    reset: bool
    upserts: AreaUpserts
    removed: list[UUID]


class CommandIn(BaseModel):
    """One thing a phone did. `payload` is the shape of its `name`, checked apart so that one bad command
    does not refuse its neighbours."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    recorded_at: datetime
    epoch: Annotated[int, Field(ge=0, le=2_000_000_000)] | None = None
    community_code: Code | None = None
    # what the phone's clock was known to be ahead by, and `recorded_at` is free of; a hundred years at most
    clock_error_s: Annotated[int, Field(ge=-3_200_000_000, le=3_200_000_000)] | None = None
    payload: dict[str, Any]


class PushIn(BaseModel):
    """A batch of commands, oldest first. `sent_at`: what the phone's own clock shows as it sends them."""

    model_config = ConfigDict(extra="forbid")

    device_id: UUID
    sent_at: datetime | None = None
    oldest_unsent_at: datetime | None = None
    app_version: Annotated[str, StringConstraints(max_length=40)] | None = None
    keeps_storage: bool | None = None
    commands: Annotated[list[CommandIn], Field(max_length=MAX_COMMANDS)]


class CommandResult(BaseModel):
    """The server's answer for one command id."""

    id: UUID
    status: Literal["accepted", "duplicate", "flagged", "rejected"]
    code: str | None
    detail: str | None
    first_status: Literal["accepted", "flagged"] | None = None


class PushOut(BaseModel):
    """Answers, one for each command, in their order."""

    results: list[CommandResult]
    server_time: datetime
    confirmed_today: int


class UnsentPhoto(BaseModel):
    """A photo in an exported file: the picture in base64, and what a phone would have said in the address."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    household_id: UUID
    visit_id: UUID | None = None
    taken_at: AwareDatetime
    content: Base64Bytes


class UnsentFile(BaseModel):
    """What a phone writes when it is asked to export its unsent records, or a piece of it."""

    device_id: UUID
    account: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    exported_at: datetime
    commands: Annotated[list[dict[str, Any]], Field(max_length=MAX_UNSENT)]
    photos: Annotated[list[dict[str, Any]], Field(max_length=MAX_UNSENT_PHOTOS)] = []


class SealedContent(UnsentFile):
    """What is inside a sealed file: all of it at once, as nobody but the service can part it."""

    commands: Annotated[list[dict[str, Any]], Field(max_length=MAX_SEALED_COMMANDS)]
    photos: Annotated[list[dict[str, Any]], Field(max_length=MAX_SEALED_PHOTOS)] = []


class UnsentResult(BaseModel):
    """What became of one record of the file; `number` is its place in the file, from 1."""

    number: int
    id: UUID | None
    name: str | None
    status: Literal["accepted", "duplicate", "flagged", "rejected", "unreadable"]
    code: str | None
    detail: str | None


class UnsentPhotoResult(BaseModel):
    """What became of one photo of the file that was not taken; `number` is its place among the photos, from 1."""

    number: int
    id: UUID | None
    status: Literal["rejected", "unreadable"]
    code: str | None


class UnsentOut(BaseModel):
    """What became of a file: how many of each, and the records and photos somebody has to look at."""

    account_id: UUID
    account_name: str
    exported_at: datetime
    counts: dict[Literal["accepted", "duplicate", "flagged", "rejected", "unreadable"], int]
    left: list[UnsentResult]
    photo_counts: dict[Literal["accepted", "duplicate", "rejected", "unreadable"], int]
    photos_left: list[UnsentPhotoResult]


class FileKey(BaseModel):
    """What a phone seals its file of unsent records for: a point on P-256, uncompressed, in base64, and its name."""

    id: str
    key: str


class SyncStatus(BaseModel):
    """What the server counts for this account today, and whom a file may be sealed for."""

    server_time: datetime
    day: date
    confirmed_today: int
    file_key: FileKey
