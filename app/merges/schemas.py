"""Shapes of merges."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

PersonFact = Literal["name", "sex", "birth_on", "relation", "workplace", "id_number", "phone"]
HouseholdFact = Literal["head_name", "kind", "phone", "note"]


class PersonMerge(BaseModel):
    """Which of two rows stays, which goes, and the facts that are taken from the one that goes."""

    model_config = ConfigDict(extra="forbid")

    keep: UUID
    gone: UUID
    take: Annotated[list[PersonFact | HouseholdFact], Field(max_length=11)] = []


class MergeRead(BaseModel):
    """A merge: the id that stands for both, the one that was merged into it."""

    id: UUID
    community_code: str
    kind: Literal["person", "household"]
    kept_id: UUID
    gone_id: UUID
    merged_at: datetime
    merged_by_name: str
    undone_at: datetime | None
    undone_by_name: str | None
