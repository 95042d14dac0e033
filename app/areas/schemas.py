"""Shapes of the division tree."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from app.areas.models import ChangeKind
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


class DivisionChangeRead(BaseModel):
    """What became of a code: from which day, by which list. New codes have no old one, ended ones no new one."""

    id: UUID
    kind: ChangeKind
    level: Level
    old_code: str | None
    old_name: str
    new_code: str | None
    new_name: str
    effective_on: date
    source: str
    adopted_at: datetime


class DivisionChangePage(BaseModel):
    """A page of changes, newest first."""

    items: list[DivisionChangeRead]
    next_cursor: str | None
