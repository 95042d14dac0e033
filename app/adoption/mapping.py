"""The file in which a person says what became of codes: written with the questions, read back with the answers."""

import csv
import io
from collections.abc import Mapping, Sequence

from app.adoption.plan import BYS, NOWHERE_ELSE, By, Known, Part, Question
from app.core.area_code import is_code

HEADERS = ("old_code", "old_name", "level", "doors", "new_code", "by", "value", "candidates", "why")
_WHY = {
    "gone": "新名单里没有这个代码 / the list has no such code",
    "reused": "代码还在，名称变了，原名在另一个代码下 / the code stands under another name, its name at another code",
}
_HELP = (
    "# new_code: 新代码；- 表示撤销且没有承接。一个社区分开时写几行：by 为 compound（小区）、building（小区|楼栋）、"
    "area（责任区名称），value 写是哪一个；by 为 rest 的一行是其余。",
    "# new_code: the code it became; - where nothing comes after. A community that is divided has several lines: by is "
    "compound, building (compound|building) or area (its name), value says which; one line with rest for the others.",
)


class MappingUnreadableError(ValueError):
    """Not such a file, or a line of it says nothing that can be done; the message names the line."""


def read_mapping(text: str) -> dict[str, list[Part]]:
    """Answers by old code out of a mapping file; lines without a new code are still questions."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if not line.startswith(("#", '"#'))]
    reader = csv.DictReader(lines)
    if not {"old_code", "new_code"} <= set(reader.fieldnames or ()):
        raise MappingUnreadableError("its first row should name old_code and new_code")
    answers: dict[str, list[Part]] = {}
    for number, row in enumerate(reader, 2):
        old, new = (row["old_code"] or "").strip(), (row["new_code"] or "").strip()
        if not new:
            continue
        by, value = (row.get("by") or "rest").strip() or "rest", (row.get("value") or "").strip()
        if not is_code(old) or not (is_code(new) or new == NOWHERE_ELSE):
            raise MappingUnreadableError(f"line {number}: codes have twelve digits")
        kind = _by(by)
        if kind is None or (kind != "rest" and not value):
            raise MappingUnreadableError(f"line {number}: by is one of {', '.join(BYS)}, and all but rest say which")
        answers.setdefault(old, []).append(Part(new, kind, "" if kind == "rest" else value))
    return answers


def _by(text: str) -> By | None:
    return next((one for one in BYS if one == text), None)


def write_mapping(
    questions: Sequence[Question], answers: Mapping[str, Sequence[Part]], known: Mapping[str, Known]
) -> str:
    """A mapping file with what is still asked and what was answered before, as a spreadsheet opens it."""
    out = io.StringIO()
    out.write("\ufeff")
    for line in _HELP:
        out.write(f"{line}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADERS)
    for question in questions:
        old = question.old
        why = _WHY[question.why] + (
            "" if question.must_be_answered else " (没有登记，可不填 / nothing registered, optional)"
        )
        candidates = "；".join(question.candidates)
        writer.writerow([old.code, old.name, old.level, old.doors, "", "", "", candidates, why])
    for code, parts in answers.items():
        one = known.get(code)
        for part in parts:
            told = [one.name, one.level, one.doors] if one else ["", "", ""]
            writer.writerow([code, *told, part.new_code, part.by, part.value, "", ""])
    return out.getvalue()
