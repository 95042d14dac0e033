"""HTTP of the division tree."""

import re
from collections.abc import Mapping
from typing import Annotated

import psycopg
from fastapi import APIRouter, Path, Query
from starlette.types import ASGIApp, Receive, Scope, Send

from app.areas import service
from app.areas.codes import read_codes
from app.areas.schemas import DivisionChangePage, DivisionPage, DivisionWithAncestors
from app.auth.guards import CurrentActor, OverseerActor, Session
from app.core.area_code import Code
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit

_ASKED = re.compile(rb"(?<![^&])(area|community_code|parent)=(\d{12})(?![^&])")
_IN_PATH = re.compile(r"(?<=^/api/v1/areas/)\d{12}$")


class CurrentCodes:
    """ASGI middleware: a code in an address is understood in any of its years."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as if it had named today's code."""
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            asked = _ASKED.search(scope.get("query_string", b"")) or _IN_PATH.search(scope["path"])
            if asked:
                codes: Mapping[str, str]
                try:
                    codes = (await read_codes(scope["app"].state.database)).current
                except psycopg.Error:
                    codes = {}  # what is asked will say that the database cannot be reached
                if codes:
                    scope = dict(scope)
                    scope["query_string"] = _ASKED.sub(
                        lambda m: b"%s=%s" % (m[1], codes.get(m[2].decode(), m[2].decode()).encode()),
                        scope["query_string"],
                    )
                    scope["path"] = _IN_PATH.sub(lambda m: codes.get(m[0], m[0]), scope["path"])
        await self.app(scope, receive, send)


router = APIRouter(tags=["areas"], responses=COMMON_PROBLEMS)


@router.get("/areas")
async def list_divisions(
    actor: CurrentActor,
    session: Session,
    parent: Annotated[Code | None, Query(description="A division code; none: the tops of one's grants.")] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DivisionPage:
    """Divisions right below one."""
    items, more = await service.list_divisions(session, actor, parent, limit, cursor)
    return DivisionPage(items=items, next_cursor=more)


@router.get("/areas/changes")
async def list_division_changes(
    actor: OverseerActor,
    session: Session,
    area: Annotated[Code, Query(description="Changes of this division and of what lies or lay below it.")],
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> DivisionChangePage:
    """The history of codes, newest first."""
    items, more = await service.list_division_changes(session, actor, area, limit, cursor)
    return DivisionChangePage(items=items, next_cursor=more)


@router.get("/areas/{code}")
async def get_division(actor: CurrentActor, session: Session, code: Annotated[Code, Path()]) -> DivisionWithAncestors:
    """One division and the path to it."""
    return await service.get_division(session, actor, code)
