"""What somebody gives of doors, households and people, and the facts it is compared by."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from app.people.naming import address_key

Subject = Literal["household", "resident"]

FACTS: dict[Subject, dict[str, tuple[str, ...]]] = {
    "household": {
        "head_name": ("head_name", "head_initials"),
        "phone": ("phone_index", "phone_sealed"),
        "tags": ("tags",),
        "note": ("note_changed", "note_sealed"),
    },
    "resident": {
        "name": ("name", "name_initials", "name_pinyin"),
        "sex": ("sex",),
        "birth_on": ("birth_on",),
        "relation": ("relation",),
        "phone": ("phone_index", "phone_sealed"),
        "workplace": ("workplace",),
        "id_number": ("id_index", "id_sealed", "id_kind"),
        "tags": ("tags",),
    },
}
"""The facts of a household and a person, each with the keys of a row here that hold it; the first tells whether it
differs."""

DATED: dict[Subject, frozenset[str]] = {
    "household": frozenset({"phone", "tags", "note"}),
    "resident": frozenset({"name", "sex", "birth_on", "relation", "phone"}),
}
"""Facts that people change one by one, at desks and on phones, and whose last change is kept."""


@dataclass(slots=True)
class PersonInput:
    """A person as somebody gives them; `id` when the giver made one, `row` where in a file they stand."""

    name: str
    relation: str = ""
    sex: int = 0
    birth_on: date | None = None
    id_kind: str = "none"
    id_number: str | None = None
    phone: str | None = None
    needs_id_check: bool = False
    workplace: str = ""
    tags: list[str] = field(default_factory=list)
    sheet: str = ""
    row: int = 0
    id: UUID | None = None
    # somebody stood there and was written down: never taken for another of the same name
    is_new: bool = False


@dataclass(slots=True)
class HouseholdInput:
    """A household as somebody gives it."""

    head_name: str = ""
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    persons: list[PersonInput] = field(default_factory=list)
    kind: str = "family"
    id: UUID | None = None
    # somebody stood there and wrote it down: never taken for another behind the same door
    is_new: bool = False


@dataclass(slots=True)
class DwellingInput:
    """A door as somebody gives it."""

    compound: str = ""
    building: str = ""
    stair: str = ""
    floor: int | None = None
    room: str = ""
    address: str = ""
    is_vacant: bool = False
    households: list[HouseholdInput] = field(default_factory=list)
    sheet: str = ""
    row: int = 0
    _key: str = field(default="", init=False, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What makes two doors the same door; asked for when nothing of the door changes any more."""
        if not self._key:
            self._key = address_key(self.compound, self.building, self.stair, self.room, self.address)
        return self._key


def kind_without_number(given: PersonInput) -> str:
    """What kind of document somebody has may be known without its number."""
    return given.id_kind if given.id_kind not in ("resident_id",) else "none"
