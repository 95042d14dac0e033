"""The differences between a file and the registry as a workbook for the committee."""

import io
from collections.abc import Sequence
from datetime import datetime, time

from openpyxl import Workbook

from app.core.clock import SHANGHAI
from app.import_export.error_workbook import escape
from app.import_export.schemas import ImportDifferenceRead
from app.people.naming import RELATIONS

# field: Chinese, English
FIELD_WORDS: dict[str, tuple[str, str]] = {
    "head_name": ("户主", "Head of household"),
    "phone": ("电话", "Phone"),
    "tags": ("标签", "Tags"),
    "note": ("备注", "Note"),
    "name": ("姓名", "Name"),
    "sex": ("性别", "Sex"),
    "birth_on": ("出生日期", "Birth date"),
    "relation": ("与户主关系", "Relation to head"),
    "workplace": ("工作单位", "Workplace"),
    "id_number": ("证件号码", "ID number"),
    "is_gone": ("是否在住", "Whether they live here"),
    "place": ("住址", "Address"),
}
_REASONS: dict[str, tuple[str, str]] = {
    "False": ("在住", "Lives here"),
    "gone": ("已离开", "Has gone"),
    "moved": ("已搬离", "Has moved"),
    "moved_away": ("已迁出", "Has moved away"),
    "died": ("已去世", "Has died"),
    "not_living_here": ("不在此居住", "Does not live here"),
}

_COLUMNS: tuple[tuple[str, str], ...] = (
    ("村居", "Community"), ("工作表", "Sheet"), ("行", "Row"), ("住址", "Address"), ("户主或居民", "Who"),
    ("项目", "What"), ("表中", "In the file"), ("登记", "In the registry"), ("结果", "Outcome"),
    ("谁后来改的", "Changed by"), ("何时改的", "Changed at"),
)  # fmt: skip
_OUTCOMES: dict[str, tuple[str, str]] = {
    "kept": ("保留登记", "The registry's stands"),
    "taken": ("采用表中", "The file's was taken"),
    "asked": ("待核实", "To be asked"),
}


def write_difference_workbook(found: Sequence[ImportDifferenceRead], *, english: bool) -> bytes:
    """The differences as `.xlsx`, a row each."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Differences" if english else "差异")
    for letter, width in zip("ABCDEFGHIJK", (16, 14, 8, 28, 14, 14, 24, 24, 16, 14, 18), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.append([words[english] for words in _COLUMNS])
    for one in found:
        when = _when(one.changed_at)
        sheet.append(
            [
                one.community_code, escape(one.sheet), one.row or None, escape(one.address), escape(one.name),
                FIELD_WORDS.get(one.field, (one.field, one.field))[english],
                _text(_said(one.field, one.listed, english)), _text(_said(one.field, one.registered, english)),
                _OUTCOMES[one.outcome][english], escape(one.actor_name), when,
            ]
        )  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _when(changed_at: datetime | None) -> str:
    """The time of a change; what is known by its day alone stands at midnight in Shanghai."""
    if changed_at is None:
        return ""
    at = changed_at.astimezone(SHANGHAI)
    return f"{at:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%d %H:%M}"


def _said(field: str, value: str | list[str] | None, english: bool) -> str | list[str] | None:
    if field == "relation" and english and isinstance(value, str):
        return RELATIONS.get(value, value)
    if field != "is_gone" or not isinstance(value, str):
        return value
    return _REASONS.get(value, _REASONS["gone"])[english]


def _text(value: str | list[str] | None) -> str:
    return escape("、".join(value) if isinstance(value, list) else value or "")
