"""Builds the app: every router, every hook, listed here and nowhere else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from sqlalchemy import text

from app.areas import routes as areas_routes
from app.auth import routes as auth_routes
from app.care import routes as care_routes
from app.core import jobs
from app.core.config import Settings, get_settings
from app.core.db import EVERYWHERE, Database
from app.core.logging import get_logger
from app.duplicates import routes as duplicates_routes
from app.exports import routes as exports_routes
from app.flagged_edits import routes as flagged_edits_routes
from app.followups import routes as followups_routes
from app.hooks import install_hooks
from app.import_export import routes as import_export_routes
from app.import_undo import routes as import_undo_routes
from app.lapsing import routes as lapsing_routes
from app.not_home import pages as not_home_pages
from app.not_home import routes as not_home_routes
from app.people import routes as people_routes
from app.photos import routes as photos_routes
from app.posts import routes as posts_routes
from app.privacy import routes as privacy_routes
from app.reports import routes as reports_routes
from app.residence import routes as residence_routes
from app.risk_areas import routes as risk_areas_routes
from app.rounds import routes as rounds_routes
from app.rules import routes as rules_routes
from app.screening import routes as screening_routes
from app.sync import routes as sync_routes
from app.walk_sheets import routes as walk_sheets_routes
from app.web import ProblemDetail, RequestLog, install_problem_handlers, serve_frontend

log = get_logger()
ROOT = Path(__file__).resolve().parents[1]

_ROOMS: tuple[APIRouter, ...] = (
    # First: routes are tried in order, and phones call nothing as often.
    sync_routes.router,
    auth_routes.router,
    areas_routes.router,
    people_routes.router,
    residence_routes.router,
    posts_routes.router,
    rounds_routes.router,
    risk_areas_routes.router,
    screening_routes.router,
    followups_routes.router,
    not_home_routes.router,
    walk_sheets_routes.router,
    photos_routes.router,
    care_routes.router,
    flagged_edits_routes.router,
    duplicates_routes.router,
    lapsing_routes.router,
    reports_routes.router,
    privacy_routes.router,
    rules_routes.router,
    import_export_routes.router,
    import_undo_routes.router,
    exports_routes.router,
)
# before `/areas/{code}` and its like, which would take `/areas/changes.xlsx` for one of theirs
ROUTERS: tuple[APIRouter, ...] = (_ROOMS[0], exports_routes.workbook_routes(_ROOMS), *_ROOMS[1:])
"""What the rooms answer, and each of their lists as a workbook."""


def operation_id(route: APIRoute) -> str:
    """The route function's name: one action, one name, everywhere."""
    return route.name


async def is_migrated(database: Database) -> bool:
    """Whether the database stands at the newest revision."""
    newest = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    async with database.session(EVERYWHERE) as session:
        found = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    return found == newest


@asynccontextmanager
async def open_queue(database: Database, *, run_worker: bool) -> AsyncIterator[None]:
    """Open the job queue on a database; with `run_worker` this process also does the jobs.

    A worker that is told to stop gives jobs a moment to end; what is not done then goes back to the queue.
    """
    with jobs.queue.replace_connector(jobs.connector_for(database.url)):
        async with jobs.queue.open_async():
            worker: asyncio.Task[None] | None = None
            if run_worker:
                # what a killed service had in hand need not wait for the next minute
                await jobs.requeue_stalled(jobs.queue)
                worker = asyncio.create_task(
                    jobs.queue.run_worker_async(
                        install_signal_handlers=False, concurrency=2, shutdown_graceful_timeout=5,
                        delete_jobs="successful", additional_context={jobs.DATABASE: database},
                    )
                )  # fmt: skip
            try:
                yield
            finally:
                if worker is not None:
                    worker.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await worker


def create_app(database_url: str | None = None, settings: Settings | None = None) -> FastAPI:
    """The service over a migrated database; `database_url` None is for its OpenAPI document alone.

    The database is opened when the app starts, by `app.state.database_url`.
    """
    settings = settings or get_settings()
    install_hooks()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if app.state.database_url is None:
            raise RuntimeError("create_app needs a database to serve")
        database = Database(app.state.database_url, settings.pool_size)
        await database.open()
        app.state.database = database
        async with open_queue(database, run_worker=settings.workers_inside):
            yield
        await database.close()

    app = FastAPI(
        title="Pioneer Grid 先锋网格",
        version="0.1.0",
        summary="Household registry, door-to-door screening, resident care, posts and coverage.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,  # FastAPI's page loads its scripts from a CDN; serve_frontend has one that does not
        redoc_url=None,
    )
    app.state.database_url = database_url
    app.add_middleware(areas_routes.CurrentCodes)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(RequestLog)
    install_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/api/v1")
    app.include_router(not_home_pages.router)
    _add_operations(app)
    serve_frontend(app, settings.frontend_dir, settings.earlier_builds)
    _describe_problems(app)
    return app


def _add_operations(app: FastAPI) -> None:
    """Health and metrics, outside `/api/v1`; they hold nothing about anybody."""

    @app.get("/health/live", tags=["operations"])
    async def health_live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["operations"], responses={503: {"description": "Not ready"}})
    async def health_ready(request: Request) -> Response:
        """The database answers and stands at the newest revision."""
        try:
            ready = await is_migrated(request.app.state.database)
        except Exception as error:
            log.warning("health.not_ready", error=type(error).__name__)
            ready = False
        return JSONResponse({"status": "ready" if ready else "not ready"}, 200 if ready else 503)

    @app.get("/metrics", tags=["operations"], response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """Pools and process, in the Prometheus text format."""
        database: Database = request.app.state.database
        figures = {f"pioneer_call_pool_{name}": value for name, value in database.calls.get_stats().items()}
        pool: Any = database.engine.pool
        figures["pioneer_session_pool_checked_out"] = pool.checkedout()
        body = "".join(f"{name} {value}\n" for name, value in sorted(figures.items()))
        return Response(body, media_type="text/plain; version=0.0.4")


def _describe_problems(app: FastAPI) -> None:
    """Put the problem shape among the OpenAPI components; every route answers it and none returns it."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            shape = ProblemDetail.model_json_schema(ref_template="#/components/schemas/{model}")
            for name, part in shape.pop("$defs", {}).items():
                schemas[name] = part
            schemas["ProblemDetail"] = shape
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
