"""The people in one row: one person, the head alone, several names in a cell, or members side by side."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from app.import_export import persons as cells
from app.import_export.headers import PERSON_FIELDS, Header
from app.import_export.households import Candidate
from app.import_export.persons import Document
from app.import_export.readings import PersonRow, RowProblem, problem
from app.import_export.workbook import Cell, Sheet, letter_of

_WELL = {
    "正常",
    "否",
    "健康",
    "良好",
    "好",
    "一般",
    "无发热",
    "无异常",
    "未发热",
    "无症状",
    "不发热",
    "体温正常",
    "身体健康",
    "0",
}
_OWNER_FLAGS = {
    "是": True,
    "√": True,
    "✓": True,
    "y": True,
    "yes": True,
    "1": True,
    "否": False,
    "n": False,
    "no": False,
}
_MAX_WORK = 100
_MAX_RELATION = 20


@dataclass(slots=True)
class Listed:
    """What one row says of people. `head` is the head told by columns of their own; `is_rejected` when somebody
    stood there of whom nobody could tell who."""

    head_name: str = ""
    head: Candidate | None = None
    candidates: list[Candidate] = field(default_factory=list)
    remarks: list[tuple[PersonRow | None, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    phone: str | None = None
    stated_count: int | None = None
    is_vacant: bool = False
    is_rejected: bool = False


class MemberReader:
    """Reads the people of a sheet's rows, reporting into `problems`."""

    def __init__(self, sheet: Sheet, header: Header, problems: list[RowProblem], today: date, is_1904: bool) -> None:
        self.sheet = sheet
        self.header = header
        self.problems = problems
        self.today = today
        self.is_1904 = is_1904
        self._has_name = header.has("name")
        # the columns of each person side by side, first the one without a number
        self._slots = [{name: name for name in PERSON_FIELDS}] + [
            {name: f"member{number}_{name}" for name in PERSON_FIELDS} for number in header.members
        ]
        self._people = {"head_name", "head_id_number", "head_phone", "head_count"} | {
            name for slot in self._slots for name in slot.values()
        }
        self._people -= {"id_kind"}
        self._tags = [tag for tag in cells.TAG_WORDS if header.has(tag)]

    def has_people(self, own: Mapping[str, Cell]) -> bool:
        """Whether a row's own cells say anything of people."""
        return any(name in self._people and not cells.is_blank(cells.text_of(value)) for name, value in own.items())

    def read(self, index: int, own: Mapping[str, Cell], filled: Mapping[str, Cell]) -> Listed:
        """The people of a row (0-based): `own` are its cells, `filled` with merged ones from above."""
        listed = Listed()
        note = cells.text_of(own.get("note"))
        head = cells.text_of(filled.get("head_name"), cells.MAX_NAME)
        flag = _OWNER_FLAGS.get(head.lower()) if self._has_name else None
        heads = cells.read_names(filled.get("head_name")) if flag is None else []
        name_words = [cells.text_of(own.get(name)) for name in ("name", "head_name")]
        says_vacant = cells.says_vacant(note) or any(cells.is_vacant_word(word) for word in name_words)
        listed.head_name = heads[0][0] if heads and not cells.is_vacant_word(heads[0][0]) else ""
        for slot in self._slots:
            self._read_slot(index, own, slot, listed, note, flag)
        if "head_name" in own and listed.head_name:
            self._read_head(index, own, listed)
        if says_vacant:
            self._weigh_vacancy(index, own, listed)
        count = re.fullmatch(r"([0-9]{1,3})[人口个]?", cells.text_of(own.get("head_count")))
        listed.stated_count = int(count[1]) if count else None
        if listed.stated_count == 0 and not listed.candidates and listed.head is None:
            listed.is_vacant = True
        if listed.is_vacant:
            listed.candidates, listed.head = [], None
        self._read_remarks(own, listed, note)
        return listed

    def _weigh_vacancy(self, index: int, own: Mapping[str, Cell], listed: Listed) -> None:
        """A door said to be vacant where people stand too: who is listed as living there does, an owner named in
        the head column alone does not."""
        if listed.candidates and self._has_name and "name" in own:
            self._report("vacancy_conflict", index, "note", "有人居住")
            return
        is_none = re.fullmatch(r"0[人口]?", cells.text_of(own.get("head_count"))) is not None
        if (listed.candidates or listed.head) and not is_none:
            self._report("vacancy_conflict", index, "note", "空房")
        listed.is_vacant = True

    def _read_slot(
        self,
        index: int,
        own: Mapping[str, Cell],
        slot: Mapping[str, str],
        listed: Listed,
        note: str,
        flag: bool | None,
    ) -> None:
        """One person's columns, or several people's when the name cell lists them."""
        names = [pair for pair in cells.read_names(own.get(slot["name"])) if not cells.is_vacant_word(pair[0])]
        is_first = slot["name"] == "name"
        is_from_head = is_first and not self._has_name and bool(listed.head_name) and "head_name" in own
        if is_from_head:
            bracket = cells.read_names(own.get("head_name"))[0][1]
            names = [(listed.head_name, bracket)]
        if not names:
            given = [name for name in slot.values() if name in own and name != slot["id_kind"]]
            given = [name for name in given if not cells.is_blank(cells.text_of(own[name]))]
            only_word = all(cells.is_vacant_word(cells.text_of(own[name])) for name in given)
            if given and not only_word and not (is_first and self._only_of_door(given, own, listed)):
                self._read_nameless(index, own, slot, listed)
            return
        if len(names) > 1:
            self._read_list(index, own, slot, listed, names)
            return
        (name, bracket) = names[0]
        relation = cells.text_of(own.get(slot["relation"]), _MAX_RELATION)
        if not relation and (is_from_head or flag is True or cells.is_head(bracket)):
            relation = "户主"
        candidate = self._person(index, own, slot, name, relation or bracket[:_MAX_RELATION])
        person = candidate.person
        if bracket and bracket != person.relation:
            listed.remarks.append((person, bracket))
        person.tags = sorted({*self._tags_of(own, person, note, bracket)})
        listed.candidates.append(candidate)

    def _only_of_door(self, given: list[str], own: Mapping[str, Cell], listed: Listed) -> bool:
        """Whether nameless cells belong to the head or the household: a phone beside the head's name."""
        if listed.head_name and "head_name" in own:
            return True
        if given == ["phone"] and (self.header.members or not own.keys() & {"name", "id_number", "relation"}):
            return bool(self.header.members)
        return False

    def _read_nameless(self, index: int, own: Mapping[str, Cell], slot: Mapping[str, str], listed: Listed) -> None:
        """Somebody without a name stays only when a good ID number tells who it is."""
        candidate = self._person(index, own, slot, "", cells.text_of(own.get(slot["relation"]), _MAX_RELATION))
        self._report("name_missing", index, slot["name"] if self.header.has(slot["name"]) else "head_name")
        if candidate.person.id_number:
            candidate.person.needs_id_check = True
            listed.candidates.append(candidate)
        else:
            listed.is_rejected = listed.is_rejected or slot["name"] == "name"

    def _read_list(
        self,
        index: int,
        own: Mapping[str, Cell],
        slot: Mapping[str, str],
        listed: Listed,
        names: list[tuple[str, str]],
    ) -> None:
        """Several names in one cell: other cells are theirs only when they list as many."""
        size = len(names)
        parts: dict[str, list[str]] = {}
        for name in PERSON_FIELDS[1:]:
            split = cells.split_list(own.get(slot[name]))
            if len(split) == size:
                parts[slot[name]] = split
            elif name == "id_number" and split and not cells.is_blank(cells.text_of(own.get(slot[name]))):
                self._report("list_mismatch", index, slot[name])
                parts[slot[name]] = []
        for at, (name, bracket) in enumerate(names):
            cell_of: dict[str, Cell] = {key: split[at] for key, split in parts.items() if split}
            relation = cells.text_of(cell_of.get(slot["relation"]), _MAX_RELATION) or bracket[:_MAX_RELATION]
            if not relation and name == listed.head_name:
                relation = "户主"
            candidate = self._person(index, cell_of, slot, name, relation)
            if slot["id_number"] in parts and not parts[slot["id_number"]]:
                candidate.person.needs_id_check = True
            listed.candidates.append(candidate)
        if slot["phone"] not in parts and slot["phone"] in own:
            phones, code = cells.read_phones(own[slot["phone"]])
            listed.phone = phones[0] if phones else None
            if code:
                self._report(code, index, slot["phone"])

    def _read_head(self, index: int, own: Mapping[str, Cell], listed: Listed) -> None:
        """The head's own columns beside a list of members: number and phone of the head, not of the member."""
        has_own = any(not cells.is_blank(cells.text_of(own.get(name))) for name in ("head_id_number", "head_phone"))
        slot = dict.fromkeys(PERSON_FIELDS, "") | {"id_number": "head_id_number", "phone": "head_phone"}
        first = listed.candidates[0] if listed.candidates else None
        if has_own and (first is None or first.person.name != listed.head_name):
            listed.head = self._person(index, own, slot, listed.head_name, "户主")
        elif has_own and first is not None:
            own_head = self._person(index, own, slot, listed.head_name, "户主").person
            person = first.person
            if person.id_number is None and own_head.id_number:
                person.id_number, person.id_kind = own_head.id_number, own_head.id_kind
                person.birth_on, person.sex = person.birth_on or own_head.birth_on, person.sex or own_head.sex
                first.id_column = self._letter("head_id_number")
            person.needs_id_check = person.needs_id_check or own_head.needs_id_check
            person.phone = person.phone or own_head.phone
        elif not listed.candidates and self._has_name:
            # the name column is blank: the head, with whatever the row says, is all the file knows here
            plain_slot = {name: name for name in PERSON_FIELDS}
            relation = cells.text_of(own.get("relation"), _MAX_RELATION) or "户主"
            listed.candidates.append(self._person(index, own, plain_slot, listed.head_name, relation))

    def _person(
        self, index: int, own: Mapping[str, Cell], slot: Mapping[str, str], name: str, relation: str
    ) -> Candidate:
        """One person out of the cells of a slot, each cell's problem reported where it stands."""
        person = PersonRow(name, relation, sheet=self.sheet.name, row=index + 1)
        candidate = Candidate(person, self._letter(slot["id_number"]))
        born, is_month, code = cells.read_birth(own.get(slot["birth_on"]), self.today, self.is_1904)
        if code:
            self._report(code, index, slot["birth_on"])
        document = cells.read_document(
            own.get(slot["id_number"]), cells.read_kind(own.get(slot["id_kind"])), self.today
        )
        if document.birth_on and born and not _agrees(document.birth_on, born, is_month):
            candidate.refused_number = document.number
            document = Document(code="id_birth_date")
        if document.code:
            self._report(document.code, index, slot["id_number"])
        person.id_kind, person.id_number, person.needs_id_check = document.kind, document.number, document.is_refused
        candidate.id_year = document.birth_on.year if document.birth_on else None
        person.birth_on = document.birth_on if is_month or born is None else born
        person.birth_on = person.birth_on or born
        sex, code = cells.read_sex(own.get(slot["sex"]))
        if document.sex and sex in (1, 2) and sex != document.sex:
            # which of the two is wrong cannot be told: both stay as they are stated, to be asked at the door
            code = "sex_mismatch"
            person.needs_id_check = True
        if code:
            self._report(code, index, slot["sex"])
        person.sex = sex if sex or code else document.sex
        phones, code = cells.read_phones(own.get(slot["phone"]))
        if code:
            self._report(code, index, slot["phone"])
        person.phone = phones[0] if phones else None
        person.age = cells.read_age(own.get(slot["age"]))
        workplace = cells.text_of(own.get(slot["workplace"]), _MAX_WORK)
        person.workplace = None if cells.is_blank(workplace) else workplace
        return candidate

    def _tags_of(self, own: Mapping[str, Cell], person: PersonRow, note: str, bracket: str) -> set[str]:
        age = person.age
        if age is None and person.birth_on:
            age = self.today.year - person.birth_on.year
        health = cells.text_of(own.get("health"))
        text = ";".join((note, "" if health in _WELL else health, bracket, person.relation))
        return {*cells.read_tags(text, age), *(tag for tag in self._tags if cells.says_yes(own.get(tag), tag))}

    def _read_remarks(self, own: Mapping[str, Cell], listed: Listed, note: str) -> None:
        """What a row remarks: kept as the household's note and read for tags, said of the person where there is
        exactly one."""
        person = listed.candidates[0].person if len(listed.candidates) == 1 else None
        texts = [] if cells.is_blank(note) else [note]
        for name in ("arrival", "health"):
            text = cells.text_of(own.get(name))
            if not text or cells.is_blank(text) or text in _WELL or text in texts:
                continue
            texts.append(f"{self._title(name)}:{text}")
        listed.remarks += [(person, text) for text in texts]
        listed.tags = [tag for tag in self._tags if cells.says_yes(own.get(tag), tag)]
        extra = [] if person is None else cells.read_phones(own.get("phone"))[0][1:]
        listed.remarks += [(person, f"其他电话:{phone}") for phone in extra]

    def _title(self, name: str) -> str:
        return re.sub(r"\s+", "", self.header.texts[self.header.columns[name][0]])[:20]

    def _letter(self, name: str) -> str:
        return letter_of(self.header.columns[name][0]) if name in self.header.columns else ""

    def _report(self, code: str, index: int, name: str, detail: str = "") -> None:
        self.problems.append(problem(code, self.sheet.name, index + 1, self._letter(name), detail))


def _agrees(inside: date, stated: date, is_month: bool) -> bool:
    same_month = (inside.year, inside.month) == (stated.year, stated.month)
    return same_month and (is_month or inside.day == stated.day)
