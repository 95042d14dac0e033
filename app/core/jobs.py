"""The job queue: procrastinate on the same database.

Rooms register tasks here; the service or `pioneer worker` runs them.
"""

from procrastinate import App, PsycopgConnector

from app.core.db import APP_ROLE

queue = App(connector=PsycopgConnector())
"""Tasks are declared on this app; `open_queue` gives it a database."""


def connector_for(url: str) -> PsycopgConnector:
    """A connector that acts as the service role."""
    return PsycopgConnector(conninfo=url, min_size=1, max_size=4, kwargs={"options": f"-c role={APP_ROLE}"})
