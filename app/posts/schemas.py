"""Shapes of responsibility areas, posts and claims."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.core.area_code import Code
from app.posts.models import PostKind

Title = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Line = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
Doors = Annotated[list[UUID], Field(max_length=3000)]


class Strict(BaseModel):
    """Input that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)


class Holder(BaseModel):
    """Who answers for an area."""

    id: UUID
    name: str


class StairSelection(Strict):
    """A stair, or a whole building when `stair` is null."""

    compound: Line = ""
    building: Line
    stair: Line | None = None


class ResponsibilityAreaCreate(Strict):
    """A new area, out of doors or whole stairs."""

    community_code: Code
    name: Title
    note: Prose = ""
    dwelling_ids: Doors = []
    stairs: Annotated[list[StairSelection], Field(max_length=200)] = []
    is_open: bool = False
    assign_to: UUID | None = None


class ResponsibilityAreaUpdate(Strict):
    """Changed facts of an area; what is not named stays."""

    name: Title | None = None
    note: Prose | None = None
    is_open: bool | None = None
    add_dwelling_ids: Doors = []
    remove_dwelling_ids: Doors = []


class Assignee(Strict):
    """The account to assign an area to."""

    account_id: UUID


class ResponsibilityAreaRead(BaseModel):
    """A responsibility area."""

    id: UUID
    community_code: str
    community_name: str
    name: str
    note: str
    dwelling_count: int
    household_count: int
    is_open: bool
    epoch: int
    version: int
    holder: Holder | None
    assigned_at: datetime | None
    places: list[str]


class ResponsibilityAreaPage(BaseModel):
    """A page of areas."""

    items: list[ResponsibilityAreaRead]
    next_cursor: str | None


class PostCreate(Strict):
    """A new post."""

    community_code: Code
    title: Title
    kind: PostKind
    is_demonstration: bool = False
    duty: Prose = ""
    place: Line = ""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    wanted_count: Annotated[int, Field(ge=1, le=1000)]
    is_published: bool = True


class PostUpdate(Strict):
    """Changed facts of a post; what is not named stays."""

    title: Title | None = None
    kind: PostKind | None = None
    is_demonstration: bool | None = None
    duty: Prose | None = None
    place: Line | None = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    wanted_count: Annotated[int, Field(ge=1, le=1000)] | None = None
    is_published: bool | None = None


class Claimant(BaseModel):
    """Who claimed a post."""

    account_id: UUID
    name: str


class PostRead(BaseModel):
    """A post; `claimants` is for its desk, empty for others."""

    id: UUID
    community_code: str
    community_name: str
    title: str
    kind: PostKind
    is_demonstration: bool
    duty: str
    place: str
    starts_at: datetime
    ends_at: datetime
    wanted_count: int
    claimed_count: int
    is_published: bool
    is_mine: bool
    version: int
    claimants: list[Claimant]


class PostPage(BaseModel):
    """A page of posts, the next to begin first."""

    items: list[PostRead]
    next_cursor: str | None


How = Literal["assigned", "claimed"]
