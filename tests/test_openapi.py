"""The service keeps to its OpenAPI document whatever it is sent: no 5xx, no status, content type or shape that is
not in it.

schemathesis draws requests that fit the document and ones that do not; real ids are put into some of them, so that
they come past "not found". More of them: `pytest --hypothesis-profile=long tests/test_openapi.py`.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.core.db import Database
from app.main import create_app
from tests.conftest import copy_of
from tests.ground import DOCUMENT, Ground, fill
from tests.personas import PERSONAS, Caller, token_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
CALLERS = ["committee", "city", "worker", "client", None]
SENT = 15
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [(m, p) for p, methods in DOCUMENT["paths"].items() for m in methods]


@dataclass(frozen=True, slots=True)
class Served:
    """A running service, and what stands in community A."""

    url: str
    ground: Ground


@pytest.fixture(scope="module")
def served(server_url: str, template: str) -> Iterator[Served]:
    """The service under uvicorn in a thread of its own, over a database with something of every kind."""
    with copy_of(server_url, template) as database_url:
        config = uvicorn.Config(create_app(database_url), port=0, log_level="error", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

        async def filled() -> Ground:
            database = Database(database_url, 2)
            await database.open()
            call = Caller(httpx.AsyncClient(base_url=url, trust_env=False), PERSONAS)
            ground = await fill(call, database)
            await call.close()
            await database.close()
            return ground

        try:
            yield Served(url, asyncio.run(filled()))
        finally:
            server.should_exit = True
            thread.join()


def known(case: schemathesis.Case, values: dict[str, Any]) -> None:
    """Put real ids and codes of A into a request."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            for name in part:
                if isinstance(values.get(name), str) and name not in ("id", "login", "kind"):
                    part[name] = values[name]


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{m.upper()} {p}" for m, p in OPERATIONS])
def test_answers_as_the_document_says(served: Served, method: str, path: str) -> None:
    operation = SCHEMA[path][method]
    about = DOCUMENT["paths"][path][method]
    drawn = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if about.get("parameters") or about.get("requestBody"):
        drawn = st.one_of(drawn, drawn, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    # somebody nobody else speaks as signs out everywhere; whose password or phone is ended is not among the callers
    callers = ["far_worker"] if path.endswith("sign-out") else CALLERS
    ended = PERSONAS["worker2"]
    values = served.ground.values | {"account_id": str(ended.id), "device_id": str(ended.device_id)}

    @settings(
        max_examples=max(SENT, settings.default.max_examples // 10),
        deadline=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn, who=st.sampled_from(callers), is_known=st.booleans())
    def send(case: schemathesis.Case, who: str | None, is_known: bool) -> None:
        if is_known:
            known(case, values)
        headers = {"Authorization": f"Bearer {token_of(PERSONAS[who])}"} if who else {}
        answer = case.call(base_url=served.url, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    send()
