"""Shapes of the division tree."""

from pydantic import BaseModel

from app.core.area_code import Level


class DivisionBrief(BaseModel):
    """A division by name."""

    code: str
    name: str
    level: Level


class DivisionRead(BaseModel):
    """A division and how many lie right below it."""

    code: str
    name: str
    level: Level
    parent_code: str | None
    child_count: int


class DivisionWithAncestors(DivisionRead):
    """A division and the path to it from the top of the tree."""

    ancestors: list[DivisionBrief]


class DivisionPage(BaseModel):
    """A page of divisions."""

    items: list[DivisionRead]
    next_cursor: str | None
