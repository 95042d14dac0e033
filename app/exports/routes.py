"""HTTP of exports: beside each list of any room `<list>.xlsx`, made from the list's own route."""

import asyncio
import inspect
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from starlette.background import BackgroundTask

from app.auth.guards import CurrentActor, DeskActor, Session
from app.auth.service import Actor
from app.core.area_code import Code
from app.core.db import Database
from app.core.errors import Invalid
from app.exports import service
from app.exports.columns import List
from app.exports.lists import LISTS
from app.exports.schemas import ExportPage
from app.exports.service import PAGE, Export
from app.web import COMMON_PROBLEMS, DEFAULT_PAGE, Cursor, Limit, OpenDatabase, request_id, speaks_english

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TURNS = 3
"""Workbooks that one process makes at a time; who comes then waits, and holds nothing meanwhile."""

router = APIRouter(tags=["exports"], responses=COMMON_PROBLEMS)

_DIVISION = ("community_code", "area", "parent")
_OWN = ("limit", "cursor", "session", "database", "request")


class Workbook(FileResponse):
    """An `.xlsx` out of a file."""

    media_type = XLSX


class CallerGone(Exception):  # noqa: N818 - not an error: nobody is there to be told
    """Who asked has hung up."""


@router.get("/exports")
async def list_exports(
    request: Request,
    actor: DeskActor,
    session: Session,
    community_code: Code,
    limit: Limit = DEFAULT_PAGE,
    cursor: Cursor = None,
) -> ExportPage:
    """Who took which list of a division away, when and by which filter, newest first."""
    items, more = await service.list_exports(
        session, actor, community_code, limit, cursor, english=speaks_english(request)
    )
    return ExportPage(items=items, next_cursor=more)


def workbook_routes(routers: Iterable[APIRouter]) -> APIRouter:
    """A router with a workbook beside each list of `routers` that `LISTS` names."""
    made = APIRouter(responses=COMMON_PROBLEMS)
    for one in routers:
        for route in one.routes:
            if isinstance(route, APIRoute) and route.name in LISTS:
                _add_workbook(made, route, LISTS[route.name])
    return made


def _add_workbook(made: APIRouter, route: APIRoute, about: List) -> None:
    tags: list[str | Enum] = list(route.tags) or ["exports"]
    made.add_api_route(
        f"{route.path}.xlsx",
        _endpoint(route),
        name=service.export_name(route.name),
        response_class=Workbook,
        responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
        tags=tags,
        summary=f"{about.en}, as a workbook",
        description=f"{about.zh}：{(route.endpoint.__doc__ or '').strip()} As `.xlsx`, by the same filter and masks.",
    )


def _endpoint(route: APIRoute) -> Callable[..., Awaitable[Response]]:
    """A function with the list's own parameters, without those of paging, that answers all of its pages."""
    listed = inspect.signature(route.endpoint, eval_str=True).parameters
    asked = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in listed.values() if p.name not in _OWN]
    own = {"request": Request, "database": OpenDatabase, "who": CurrentActor}
    parameters = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, annotation=a) for n, a in own.items()]

    async def answer(**given: Any) -> Response:
        request, database, actor = given.pop("request"), given.pop("database"), given.pop("who")
        return await _answer(route, listed, request, database, actor, given)

    answer.__signature__ = inspect.Signature([*parameters, *asked])  # type: ignore[attr-defined]
    return answer


async def _answer(
    route: APIRoute, listed: Any, request: Request, database: Database, actor: Actor, given: dict[str, Any]
) -> Response:
    known = {name: str(value) for name, value in given.items() if name not in ("actor", "_actor") and value is not None}
    export = Export(route.name, _division(known, actor), known, speaks_english(request))

    async def fetch(cursor: str | None) -> tuple[Sequence[Any], str | None]:
        if await request.is_disconnected():
            raise CallerGone
        paging = {name: value for name, value in (("limit", PAGE), ("cursor", cursor)) if name in listed}
        own = {name: value for name, value in (("request", request), ("database", database)) if name in listed}
        if "session" not in listed:
            return _items(await route.endpoint(**given, **paging, **own))
        async with database.session(actor.scope) as session:
            session.info["request_id"] = request_id(request)
            return _items(await route.endpoint(**given, **paging, **own, session=session))

    folder = Path(await anyio.to_thread.run_sync(tempfile.mkdtemp, None, "pioneer-export-"))
    try:
        async with _turns(request):
            name = await service.make_workbook(database, actor, export, fetch, folder / "list.xlsx")
    except CallerGone:
        shutil.rmtree(folder, ignore_errors=True)
        return Response(status_code=499)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {
        "Content-Disposition": f"attachment; filename=\"list.xlsx\"; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "no-store",
        # it is compressed already: nothing on the way needs to try again
        "Content-Encoding": "identity",
    }
    return Workbook(folder / "list.xlsx", headers=headers, background=BackgroundTask(shutil.rmtree, folder, True))


def _items(page: Any) -> tuple[Sequence[Any], str | None]:
    if isinstance(page, Response):
        page = orjson.loads(page.body)
        return page["items"], page["next_cursor"]
    return page.items, getattr(page, "next_cursor", None)


def _division(known: dict[str, str], actor: Actor) -> str | None:
    """The division a list is about: the one asked for, else the only one the actor has."""
    for name in _DIVISION:
        if name in known:
            return known[name]
    try:
        return actor.only_part()
    except Invalid:
        return None


def _turns(request: Request) -> asyncio.Semaphore:
    """The process's turns; made on first use, inside the loop that serves."""
    state = request.app.state
    if not hasattr(state, "export_turns"):
        state.export_turns = asyncio.Semaphore(TURNS)
    turns: asyncio.Semaphore = state.export_turns
    return turns
