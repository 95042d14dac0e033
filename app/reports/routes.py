"""HTTP of figures."""

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from app.auth.guards import FiguresActor, HasRole, OverseerActor, Session
from app.auth.service import Actor
from app.core.area_code import Code, Level
from app.reports import coverage, doors, flags, headcounts
from app.reports.schemas import (
    CoverageRead,
    DoorStandingPage,
    ExpectedPut,
    ExpectedResult,
    FlagsRead,
    GapKind,
    GapPage,
    HeadcountRead,
)
from app.screening.models import Outcome
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase, etag_matches

router = APIRouter(tags=["reports"], responses=COMMON_PROBLEMS)

RoundId = Annotated[UUID | None, Query(description="A round's id; none: the newest open one that covers the area.")]
SendingActor = Annotated[Actor, Depends(HasRole(headcounts.SENDERS))]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified"}}


@router.get("/coverage", response_model=CoverageRead)
async def get_coverage(
    actor: OverseerActor,
    database: OpenDatabase,
    area: Code,
    level: Level | None = None,
    round: RoundId = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> Response:
    """How many there are, how many are done, what is missing; by the next level down unless told otherwise."""
    answer = await coverage.get_coverage(database, actor, area, level, round, limit, cursor)
    return Response(orjson.dumps(answer), media_type="application/json")


@router.get("/coverage/flags")
async def count_flags(actor: OverseerActor, database: OpenDatabase, area: Code) -> FlagsRead:
    """How many flagged records wait for somebody to look at them, and in which divisions below."""
    return await flags.count_flags(database, actor, area)


@router.get("/coverage/gaps")
async def list_gaps(
    actor: OverseerActor,
    database: OpenDatabase,
    area: Code,
    kind: GapKind = "doors",
    round: RoundId = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> GapPage:
    """Which communities, doors or persons are missing, and who answers for each."""
    return await coverage.list_gaps(database, actor, area, round, kind, limit, cursor)


@router.get("/coverage/doors")
async def list_door_standings(
    actor: OverseerActor,
    database: OpenDatabase,
    community_code: Code,
    building: Annotated[str | None, Query(max_length=60, description="None: the whole community.")] = None,
    compound: Annotated[str, Query(max_length=60)] = "",
    outcome: Outcome | None = None,
    has_symptoms: bool = False,
    is_unassigned: bool = False,
    round: RoundId = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DoorStandingPage:
    """A community's doors, where each stands in a round and who answers for it."""
    wanted = doors.DoorFilter(building, compound, outcome, has_symptoms, is_unassigned)
    return await doors.list_door_standings(database, actor, community_code, round, wanted, limit, cursor)


@router.get("/headcounts", response_model=HeadcountRead, responses=NOT_MODIFIED)
async def get_headcounts(
    request: Request,
    actor: FiguresActor,
    database: OpenDatabase,
    area: Annotated[Code | None, Query(description="A division code; none: the part one's only grant is for.")] = None,
    level: Level = "community",
    since: Annotated[str | None, Query(max_length=100, description="`since_token` of the answer before.")] = None,
    limit: Annotated[int, Query(ge=1, le=headcounts.MAX_ROWS, description="How many at most.")] = headcounts.MAX_ROWS,
    cursor: Cursor = None,
) -> Response:
    """Households, residents and screened by division, all or what changed since the answer before."""
    answer, etag = await headcounts.get_headcounts(
        database, actor, area or actor.only_part(), level, since, limit, cursor
    )
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag_matches(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(orjson.dumps(answer), media_type="application/json", headers=headers)


@router.put("/headcounts/expected")
async def put_expected_headcounts(
    actor: SendingActor, database: OpenDatabase, session: Session, body: ExpectedPut
) -> ExpectedResult:
    """Official counts of one source as of one day; sent again they replace, never add."""
    return await headcounts.put_expected_headcounts(database, session, actor, body)
