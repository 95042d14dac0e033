"""Every list has a workbook, and its columns are the list's own: held against the OpenAPI document."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from app.exports.columns import Column
from app.exports.lists import LISTS, WITHOUT
from app.main import ROUTERS
from tests.ground import DOCUMENT

SHAPES = DOCUMENT["components"]["schemas"]
# Codes that come from many places and stand in a workbook by their own name where they have no word.
OPEN = {"key", "flag_code", "field", "fields", "action", "places", "stairs", "server.value", "phone.value"}


def lists() -> dict[str, dict[str, Any]]:
    """Every list of the service by its route's name: a page of items with a next cursor, or items alone."""
    found = {}
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods and not route.path.endswith(".xlsx"):
                answer = DOCUMENT["paths"][f"/api/v1{route.path}"]["get"]["responses"]["200"]["content"]
                schema = answer.get("application/json", {}).get("schema", {})
                page = SHAPES.get(schema.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
                if "items" in page or "next_cursor" in page:
                    found[route.name] = page.get("items", {})
    return found


def test_every_list_can_be_taken_away_or_says_why_not() -> None:
    assert set(lists()) == set(LISTS) | set(WITHOUT)
    assert not set(LISTS) & set(WITHOUT)


def options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a schema may be, references followed."""
    if "$ref" in schema:
        return options(SHAPES[schema["$ref"].rsplit("/", 1)[-1]])
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in options(part)]
    return [schema]


def at_path(item: dict[str, Any], path: str) -> list[dict[str, Any]]:
    """The schemas of what stands at a dotted path."""
    found = options(item)
    for step in path.split("."):
        found = [
            one for part in found if step in part.get("properties", {}) for one in options(part["properties"][step])
        ]
        assert found, f"{path}: nothing there"
    return [one for one in found if one.get("type") != "null"]


def fits(column: Column, schema: dict[str, Any]) -> bool:
    """Whether a value of this schema can stand in the column."""
    if column.value is not None:
        return True
    kinds = {"number": ("integer", "number"), "day": ("string",), "instant": ("string",), "text": ("string",)}
    formats = {"day": "date", "instant": "date-time"}
    if column.kind == "words":
        part = schema.get("items", schema)
        codes = [
            str(code) for one in options(part) for code in one.get("enum", [one["const"]] if "const" in one else [])
        ]
        return (
            column.path in OPEN or part.get("type") in ("boolean", "integer") or set(codes) <= set(column.words or {})
        )
    return schema.get("type") in kinds[column.kind] and schema.get("format") == formats.get(
        column.kind, schema.get("format")
    )


@pytest.mark.parametrize("name", sorted(LISTS))
def test_its_columns_are_what_the_list_answers(name: str) -> None:
    item = lists()[name]["items"]
    wrong = [c.path for c in LISTS[name].columns for schema in at_path(item, c.path) if not fits(c, schema)]
    assert wrong == []
    headings = [c.zh for c in LISTS[name].columns]
    assert len(set(headings)) == len(headings)
