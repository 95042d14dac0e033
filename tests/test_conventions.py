"""Conventions that no linter holds (docs/architecture.md): guarded routes, one commit, names, shapes, commands."""

import ast
import functools
import inspect
import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from fastapi.routing import APIRoute
from sqlmodel import SQLModel

from app.all_models import metadata
from app.main import ROUTERS, create_app
from app.sync.registry import KINDS
from tests.personas import Caller

ROOT = Path(__file__).resolve().parents[1]
# Who is not signed in may do these, and nothing else.
PUBLIC = {("POST", "/auth/token"), ("POST", "/auth/invitations/accept")}


def routes() -> list[APIRoute]:
    """Every route of every room."""
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


@functools.cache
def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """(method, path below /api/v1, operation) of the OpenAPI document."""
    document = create_app().openapi()
    return [
        (method.upper(), path.removeprefix("/api/v1"), operation)
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1")
        for method, operation in methods.items()
    ]


def filled(path: str) -> str:
    """A path with something plausible in its parameters."""
    path = re.sub(r"\{code\}", "990101001001", path)
    return re.sub(r"\{[^}]+\}", "01a20cca-13d8-705d-ace3-0b209f821a0b", path)


class TestEveryRoute:
    async def test_refuses_anonymous_callers(self, call: Caller) -> None:
        open_doors = []
        for method, path, _ in operations():
            if (method, path) in PUBLIC:
                continue
            answer = await call(None, method, filled(path))
            if answer.status_code != 401 or answer.json()["code"] != "not_signed_in":
                open_doors.append((method, path, answer.status_code))
        assert open_doors == []

    def test_is_marked_as_secured_in_the_document(self) -> None:
        unmarked = [(m, p) for m, p, o in operations() if "security" not in o and (m, p) not in PUBLIC]
        assert unmarked == []

    def test_has_a_name_of_its_own_and_no_builtin(self) -> None:
        names = [route.name for route in routes()]
        assert len(names) == len(set(names))
        assert not set(names) & set(dir(__import__("builtins")))

    def test_never_answers_a_table(self) -> None:
        tables = {cls for cls in all_subclasses(SQLModel) if cls.__dict__.get("__tablename__")}
        leaks = []
        for route in routes():
            answer = get_type_hints(inspect.unwrap(route.endpoint)).get("return")
            if answer in tables or route.response_model in tables:
                leaks.append(route.name)
        assert leaks == []

    def test_declares_its_problems(self) -> None:
        silent = [(m, p) for m, p, o in operations() if "422" not in o["responses"] or "404" not in o["responses"]]
        assert silent == []


def all_subclasses(cls: type) -> set[type]:
    """Subclasses, all the way down."""
    return {sub for direct in cls.__subclasses__() for sub in {direct, *all_subclasses(direct)}}


def test_only_the_edge_commits() -> None:
    # the invented city is written over a connection of its own, a community at a time, so that it can be gone on with
    allowed = {"app/web.py", "app/simulation/writing.py"}
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "commit" and name not in allowed:
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_logs_and_trail_name_no_person() -> None:
    """Log calls take ids, counts and codes; never a name, phone or address."""
    forbidden = {"name", "phone", "address", "id_number", "note", "login", "username", "head_name"}
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                receiver = node.func.value
                if isinstance(receiver, ast.Name) and receiver.id == "log":
                    found += [f"{path.name}:{node.lineno} {k.arg}" for k in node.keywords if k.arg in forbidden]
    assert found == []


# What stands there is what rosters say, and what they say is kept as it is.
READS_ROSTERS = {
    "addresses.py",
    "headers.py",
    "households.py",
    "members.py",
    "persons.py",
    "places.py",
    "plain_rows.py",
}
_HALF = re.compile(r"[\u4e00-\u9fff”）》][,;?!](?!$)|[\u4e00-\u9fff”）》][,;:?!](?=[\u4e00-\u9fff“（《])")


def test_chinese_sentences_have_chinese_punctuation() -> None:
    """A comma or colon between Chinese words is as wide as they are, in the service and on the screens."""
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        tree = ast.parse(path.read_text())
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                told |= {id(part) for part in node.values}
                parts = [str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values]
                words = "".join(parts) if any(re.search("[\u4e00-\u9fff]{4}", part) for part in parts) else ""
            else:
                words = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if id(node) not in told and path.name not in READS_ROSTERS and _HALF.search(words):
                found.append(f"{path.name}:{node.lineno} {words}")
    screens = ROOT / "frontend"
    for page in (*sorted((screens / "src").rglob("*zh-CN*.ts")), *sorted((screens / "src").rglob("zh-CN/*.ts"))):
        found += [f"{page.name}: {line}" for line in page.read_text().splitlines() if _HALF.search(line.split("//")[0])]
    found += [f"{name}" for name in ("index.html", "vite.config.ts") if _HALF.search((screens / name).read_text())]
    assert found == []


def test_commands_are_those_the_frontend_can_send() -> None:
    """The union of command names in the phone's engine equals the registry."""
    source = "".join(path.read_text() for path in sorted((ROOT / "frontend/src/offline").glob("*.ts")))
    sent = set(re.findall(r"'((?:screening|care|posts|people|monitoring)\.[a-z_]+)'", source))
    assert sent == set(KINDS)


def test_openapi_document_is_current() -> None:
    document = json.dumps(create_app().openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    assert (ROOT / "openapi.json").read_text() == document, "run `make openapi`"


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_tables_have_short_constraint_names(table: str) -> None:
    """PostgreSQL cuts names at 63 bytes; a cut name differs between databases and migrations."""
    names = [c.name for c in metadata.tables[table].constraints] + [i.name for i in metadata.tables[table].indexes]
    assert all(name is None or len(str(name)) <= 63 for name in names)
