"""All HTTP glue: the session (one commit), problems, request ids, paging, the PWA's files."""

import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import psycopg_pool
import sqlalchemy.exc
import structlog
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.db import Database
from app.core.errors import FieldProblem, Problem
from app.core.ids import new_id
from app.core.logging import get_logger
from app.core.paging import DEFAULT_LIMIT, MAX_LIMIT

log = get_logger()


class ProblemField(BaseModel):
    """One field of a problem."""

    field: str
    code: str
    message: str


class ProblemDetail(BaseModel):
    """`application/problem+json`, RFC 9457, with our stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemField]


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI declarations for problem answers."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}}
    words = {
        400: "Malformed request", 401: "Not signed in", 403: "Not allowed", 404: "Not found or not in scope",
        405: "Method not allowed", 409: "Conflict", 413: "Too large", 422: "Invalid input", 429: "Too many attempts",
        503: "Database unavailable",
    }  # fmt: skip
    return {status: {"description": words[status], "content": content} for status in statuses}


COMMON_PROBLEMS = problem_responses(400, 401, 403, 404, 409, 422, 429, 503)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")]
DEFAULT_PAGE = DEFAULT_LIMIT


def speaks_english(request: Request) -> bool:
    """Whether the reader asked for English; Chinese otherwise."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return first.startswith("en")


def request_id(request: Request) -> str:
    """The id of this request."""
    return str(request.scope.get("pioneer.request_id", ""))


def open_database(request: Request) -> Database:
    """The open database of the application."""
    database: Database = request.app.state.database
    return database


async def get_database(request: Request) -> Database:
    """The same as a dependency; a plain function would cost each request a turn in the thread pool."""
    return open_database(request)


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction for the request, committed once before the answer leaves, rolled back on any problem."""
    async with AsyncSession(open_database(request).engine, expire_on_commit=False) as session:
        session.info["request_id"] = request_id(request)
        yield session
        await session.commit()


# `scope="function"`: the commit comes before the answer, so one that fails answers 409 or 503, never 200.
UnscopedSession = Annotated[AsyncSession, Depends(get_session, scope="function")]
OpenDatabase = Annotated[Database, Depends(get_database)]


def render_problem(request: Request, problem: Problem) -> JSONResponse:
    """The problem as `application/problem+json` in the reader's language."""
    english = speaks_english(request)
    detail = ProblemDetail(
        type=f"https://pioneer-grid.example/problems/{problem.code}",
        title=problem.en if english else problem.zh,
        status=problem.status,
        detail=problem.en if english else problem.zh,
        code=problem.code,
        request_id=request_id(request),
        errors=[ProblemField(field=e.field, code=e.code, message=e.en if english else e.zh) for e in problem.errors],
    )
    return JSONResponse(
        detail.model_dump(), problem.status, headers=problem.headers, media_type="application/problem+json"
    )


_SENTENCES = {
    "missing": ("缺少必填项。", "This is needed."),
    "extra_forbidden": ("没有这一项。", "There is no such field."),
    "string_pattern_mismatch": ("格式不正确。", "The format is not right."),
    "string_too_long": ("内容太长。", "This is too long."),
    "string_too_short": ("内容太短。", "This is too short."),
    "enum": ("不是可选的值。", "Not one of the possible values."),
    "literal_error": ("不是可选的值。", "Not one of the possible values."),
    "json_invalid": ("不是有效的 JSON。", "Not valid JSON."),
    "too_long": ("条数太多。", "Too many of them."),
    "too_short": ("条数太少。", "Too few of them."),
}


def _field_problem(error: dict[str, Any]) -> FieldProblem:
    where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path", "form"))
    zh, en = _SENTENCES.get(error["type"], ("内容不正确。", str(error.get("msg", "Invalid."))))
    return FieldProblem(where or str(error["loc"][-1]), error["type"], zh, en)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every failure as a problem: ours, the framework's, the database's."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, error: Problem) -> Response:
        return render_problem(request, error)

    @app.exception_handler(RequestValidationError)
    async def on_shape(request: Request, error: RequestValidationError) -> Response:
        problem = Problem("shape_invalid", "提交的内容有误，请检查标出的项目。", "Some fields are not right.", 422)
        problem.errors = [_field_problem(dict(e)) for e in error.errors()[:100]]
        return render_problem(request, problem)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "refused")
        problem = Problem(code, f"请求未能完成（{error.status_code}）。", str(error.detail), error.status_code)
        problem.headers = dict(error.headers or {})
        return render_problem(request, problem)

    async def on_unavailable(request: Request, error: Exception) -> Response:
        log.error("database.unavailable", error=type(error).__name__, request_id=request_id(request))
        zh, en = (
            "数据库暂时无法连接，您的记录仍保存在手机上。",
            "The database cannot be reached for the moment; nothing is lost.",
        )
        return render_problem(request, Problem("database_unavailable", zh, en, 503, headers={"Retry-After": "5"}))

    async def on_bad_value(request: Request, _: Exception) -> Response:
        return render_problem(
            request, Problem("value_invalid", "含有无法保存的字符或数值。", "A value cannot be stored.", 422)
        )

    async def on_conflict(request: Request, _: Exception) -> Response:
        zh, en = "与已有的数据冲突，请刷新后重试。", "This conflicts with what is there; reload and try again."
        return render_problem(request, Problem("conflict", zh, en, 409))

    for unavailable in (
        sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError,
        psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed,
    ):  # fmt: skip
        app.add_exception_handler(unavailable, on_unavailable)
    for bad_value in (sqlalchemy.exc.DataError, psycopg.DataError, UnicodeEncodeError):
        app.add_exception_handler(bad_value, on_bad_value)
    for conflict in (sqlalchemy.exc.IntegrityError, psycopg.IntegrityError):
        app.add_exception_handler(conflict, on_conflict)


class RequestLog:
    """ASGI middleware: gives each request an id, logs method, route and time, and sets the safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"").decode("latin-1")
        identity = given if 8 <= len(given) <= 64 and given.replace("-", "").isalnum() else str(new_id())
        scope["pioneer.request_id"] = identity
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", identity.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                    (b"x-frame-options", b"DENY"),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=identity):
            try:
                await self.app(scope, receive, send_with_headers)
            finally:
                route = scope.get("route")
                # The template, not the path: ids and search words stay out of the log.
                path = getattr(route, "path", None) or "unrouted"
                if status >= 500 or path.startswith("/api"):
                    elapsed = round((time.perf_counter() - started) * 1000, 1)
                    log.info("http.request", method=scope["method"], route=path, status=status, ms=elapsed)


def etag_matches(request: Request, etag: str) -> bool:
    """Whether the client already holds the answer with this ETag."""
    held = request.headers.get("if-none-match", "")
    return etag in [tag.strip().removeprefix("W/") for tag in held.split(",")]


EARLIER_BUILDS_DAYS = 30
"""How long the files of a build stay once the service has started with another one."""


def keep_build(folder: Path, kept: Path) -> None:
    """Keep the files of the build in `folder` that carry a digest in their name, for tabs that outlive it.

    A tab of an earlier build asks for parts of that build when they are first needed. A service that cannot keep them
    says so in the log and serves all the same.
    """
    try:
        kept.mkdir(parents=True, exist_ok=True)
        for file in (folder / "assets").glob("*"):
            if not (kept / file.name).is_file():
                # whole or not at all, also where two services start at once
                fresh = kept / f".{new_id()}"
                shutil.copyfile(file, fresh)
                fresh.replace(kept / file.name)
            os.utime(kept / file.name)
        for file in kept.iterdir():
            if time.time() - file.stat().st_mtime > EARLIER_BUILDS_DAYS * 86_400:
                file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("frontend.not_kept", folder=str(kept), error=str(error))


def serve_frontend(app: FastAPI, folder: Path, kept: Path) -> None:
    """Serve the built PWA at `/`: files as they are, any other path without a dot gets its page.

    Files of earlier builds come from `kept` (see `keep_build`).
    """
    root = folder.resolve()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        """The API's documentation; all it loads lies in the frontend's build."""
        page = root / "api-docs" / "index.html"
        if not page.is_file():
            return RedirectResponse("/openapi.json")
        return FileResponse(page, headers={"Cache-Control": "no-cache", **PAGE_HEADERS})

    @app.get("/{path:path}", include_in_schema=False)
    async def frontend(path: str) -> Response:
        """One file of the PWA."""
        wanted = (root / path).resolve() if path and "\x00" not in path else root / "index.html"
        if path.startswith("api/") or not wanted.is_relative_to(root):
            raise HTTPException(404, "Not found")
        if wanted.is_file() and path:
            hashed = path.startswith("assets/")
            return FileResponse(wanted, headers={"Cache-Control": _cache(hashed)})
        earlier = kept / wanted.name
        if path.startswith("assets/") and "\x00" not in path and earlier.is_file():
            return FileResponse(earlier, headers={"Cache-Control": _cache(hashed=True)})
        if "." in path.rsplit("/", 1)[-1] or not (root / "index.html").is_file():
            raise HTTPException(404, "Not found")
        return FileResponse(root / "index.html", headers={"Cache-Control": "no-cache", **PAGE_HEADERS})


def _cache(hashed: bool) -> str:
    return "public, max-age=31536000, immutable" if hashed else "no-cache"


PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
}


def parse_uuid(text: str) -> UUID | None:
    """The UUID a text spells, None when it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None
