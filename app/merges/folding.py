"""Two rows made one, field by field, and one made two again: what a person or a household of the registry says.

The row that stays takes what it lacks, and what the committee has picked; the other row stays as it was. Numbers and
notes are handed over sealed, so that they come back as they were.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.core import crypto
from app.merges.models import MergedRow
from app.people import service as people
from app.people.models import Household, Resident

Row = Resident | Household


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact the committee picks between: its columns, and of a sealed one where its value is kept and its context."""

    columns: tuple[str, ...]
    sealed: str | None = None
    kept_in: tuple[str, ...] = ()
    context: str = ""


PERSON: dict[str, Fact] = {
    "name": Fact(("name", "name_initials", "name_pinyin")),
    "sex": Fact(("sex",)),
    "birth_on": Fact(("birth_on",)),
    "relation": Fact(("relation",)),
    "workplace": Fact(("workplace",)),
    "id_number": Fact(
        ("id_kind", "needs_id_check", "id_sealed", "id_index"), "id_sealed", ("id_sealed", "id_index"),
        people.RESIDENT_ID,
    ),
    "phone": Fact(
        ("phone_sealed", "phone_index"), "phone_sealed", ("phone_sealed", "phone_index"), people.RESIDENT_PHONE
    ),
}  # fmt: skip
HOUSEHOLD: dict[str, Fact] = {
    "head_name": Fact(("head_name", "head_initials")),
    "kind": Fact(("kind",)),
    "phone": Fact(
        ("phone_sealed", "phone_index"), "phone_sealed", ("home_phone_sealed", "home_phone_index"),
        people.HOUSEHOLD_PHONE,
    ),
    "note": Fact(("note_sealed",), "note_sealed", ("note_sealed",), people.HOUSEHOLD_NOTE),
}  # fmt: skip


def facts_of(row: Row) -> dict[str, Fact]:
    """What there is to pick between."""
    return PERSON if isinstance(row, Resident) else HOUSEHOLD


def value_of(row: Row, fact: Fact) -> Any:
    """A fact as it reads: sealed ones opened, None where there is nothing."""
    if fact.sealed:
        return crypto.open_text(getattr(row, fact.sealed), fact.context)
    return getattr(row, fact.columns[0]) or None


def list_differences(one: Row, other: Row) -> list[str]:
    """The facts of which both rows say something, and not the same."""
    return [
        name
        for name, fact in facts_of(one).items()
        if (a := value_of(one, fact)) is not None and (b := value_of(other, fact)) is not None and a != b
    ]


def fold(kept: Row, gone: Row, take: list[str], merge_id: UUID) -> MergedRow:
    """Give `kept` what it lacks and `gone` has, and the facts in `take`; answers what changed."""
    row = MergedRow(
        community_code=kept.community_code, merge_id=merge_id, row_id=kept.id,
        kind="resident" if isinstance(kept, Resident) else "household",
    )  # fmt: skip
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, fact in facts_of(kept).items():
        mine, theirs = value_of(kept, fact), value_of(gone, fact)
        if theirs is None or theirs == mine or (mine is not None and name not in take):
            continue
        for column in fact.columns:
            old, new = getattr(kept, column), getattr(gone, column)
            kept_in = _kept_in(fact, column)
            if kept_in:
                setattr(row, kept_in, old)
            else:
                before[column], after[column] = _plain(old), _plain(new)
            setattr(kept, column, new)
        if fact.sealed:
            before[name], after[name] = True, True
    tags = sorted({*kept.tags, *gone.tags})
    if tags != kept.tags:
        before["tags"], after["tags"] = kept.tags, tags
        kept.tags = tags
    row.before, row.after = before, after
    return row


def unfold(kept: Row, gone: Row, row: MergedRow) -> list[str]:
    """Give `kept` back what it had; what has been changed since the merge stays as it is now. Answers the facts that
    went back."""
    back: list[str] = []
    for name, fact in facts_of(kept).items():
        if fact.sealed:
            if name not in row.after or value_of(kept, fact) != value_of(gone, fact):
                continue
        elif fact.columns[0] not in row.after or _plain(getattr(kept, fact.columns[0])) != row.after[fact.columns[0]]:
            continue
        for column in fact.columns:
            kept_in = _kept_in(fact, column)
            setattr(kept, column, getattr(row, kept_in) if kept_in else _typed(column, row.before[column]))
        back.append(name)
    if "tags" in row.after:
        came = {*row.after["tags"]} - {*row.before["tags"]}
        kept.tags = row.before["tags"] if kept.tags == row.after["tags"] else sorted({*kept.tags} - came)
        back.append("tags")
    return back


def _kept_in(fact: Fact, column: str) -> str | None:
    """The column of `MergedRow` that keeps a sealed value or its index."""
    sealed = [name for name in fact.columns if name.endswith(("_sealed", "_index"))]
    return fact.kept_in[sealed.index(column)] if column in sealed else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(column: str, value: Any) -> Any:
    return date.fromisoformat(value) if column == "birth_on" and value else value
