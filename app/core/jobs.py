"""The job queue: procrastinate on the same database.

Rooms register tasks here; the service or `pioneer worker` runs them. A job is put into the queue inside the
transaction of the request that asks for it (`deferrer_on`), so there is never one without the other.
"""

from typing import Any, cast

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.jobs import JobDeferrer
from procrastinate.tasks import Task
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.db import APP_ROLE, Database, driver_connection
from app.core.logging import get_logger

log = get_logger()

queue = App(connector=PsycopgConnector())
"""Tasks are declared on this app; `open_queue` gives it a database."""

DATABASE = "database"
"""Under this name a worker hands its open database to the tasks."""


def connector_for(url: str) -> PsycopgConnector:
    """A connector that acts as the service role."""
    return PsycopgConnector(conninfo=url, min_size=1, max_size=4, kwargs={"options": f"-c role={APP_ROLE}"})


def database_of(context: JobContext) -> Database:
    """The open database of the worker that runs a task."""
    return cast(Database, context.additional_context[DATABASE])


async def deferrer_on(session: AsyncSession, task: "Task[Any, Any, Any]", lock: str | None = None) -> JobDeferrer:
    """A deferrer that writes the job in the session's own transaction; jobs of one `lock` run one after another."""
    return task.configure(connection=await driver_connection(session), lock=lock)


@queue.periodic(cron="* * * * *")
@queue.task(name="core.requeue_stalled_jobs", queueing_lock="requeue_stalled_jobs", pass_context=True)
async def requeue_stalled_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - given by the queue
    """Give jobs whose worker has died back to the queue."""
    await requeue_stalled(context.app)


async def requeue_stalled(app: App) -> None:
    """Give jobs whose worker has not been heard of for half a minute back to the queue."""
    for job in await app.job_manager.get_stalled_jobs():
        log.warning("jobs.requeued", task=job.task_name, attempts=job.attempts)
        await app.job_manager.retry_job(job)
