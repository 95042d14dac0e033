"""One person's cells: names, ID numbers, birth dates, phones, tags.

Every function takes the cell as it is and answers the value and the code of what is wrong with it, or an empty code.
What is only untidy is read; what is wrong gives no value. Nothing here guesses.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from app.core.resident_id import birth_date, complete_15_digits, is_resident_id, sex_of
from app.import_export.workbook import Cell

OLDEST_YEAR = 1880
MAX_NAME = 40
_BLANK = {
    "",
    "-",
    "--",
    "/",
    "\\",
    "无",
    "没有",
    "不详",
    "未知",
    "暂无",
    "未提供",
    "拒绝提供",
    "空",
    "none",
    "n/a",
    "#n/a",
}
_WRITTEN_WELL = re.compile(r"[0-9]{17}[0-9X]")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_CHECK_LOOKALIKES = str.maketrans("×✕╳ХхΧχ*", "XXXXXXXX")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))-?([2-9][0-9]{6,7})(?:(?:-|转|ext)([0-9]{1,6}))?")
_HEAD = {"户主", "本人", "户主本人", "本户户主", "本人(户主)", "户主(本人)", "head"}
_VACANT = re.compile(
    r"(空置|空房|空户|空着|空闲|闲置|无人居住|无人住|没人住|没人居住|未入住|未住人|常年无人|长期无人|无人|无住户|待售|未售|未交房|空)(房|户|中)?"
)
_FOREIGN_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"), "hk_macau_permit"),
    (re.compile(r"[A-Z]{3}[0-9]{12}"), "foreigner_permit"),
    (re.compile(r"T[0-9]{8}(?:[0-9]{2})?"), "taiwan_permit"),
    (re.compile(r"[EGDSPK][A-Z]?[0-9]{7,8}|[A-Z]{1,2}[0-9]{6,9}"), "passport"),
)
_KINDS: tuple[tuple[str, str], ...] = (
    (r"永久居留|永居|外国人.*居留|foreigner", "foreigner_permit"),
    (r"护照|passport", "passport"),
    (r"台胞|台湾|taiwan", "taiwan_permit"),
    (r"港澳|回乡|香港|澳门|hk|macau", "hk_macau_permit"),
    (r"军官|士兵|警官|出生|其他|其它|驾|社保|other", "other"),
    (r"身份证|户口|居民|resident", "resident_id"),
)
TAG_WORDS: dict[str, str] = {
    "living_alone_elder": r"独居|孤寡|空巢独居",
    "household_in_hardship": r"低保|(?<!呼吸)(?<!行动)(?<!行走)(?<!出行)(?<!吞咽)困难|特困|五保|贫困",
    "tenant": r"租户|租住|租客|承租|租房|出租",
    "chronic_illness": r"慢性病|慢病|高血压|糖尿病|冠心病|心脏病|基础疾病|尿毒症|透析",
    "disabled": r"残疾|残障|智障|失能",
    "pregnant": r"孕妇|怀孕|孕期|妊娠|(?<!备)孕",
    "infant": r"婴儿|婴幼儿|新生儿",
    "collective_household": r"集体户|集体宿舍",
}
_TAGS = {tag: re.compile(words) for tag, words in TAG_WORDS.items()}
_NEGATED = re.compile(
    r"(?:没有|不是|并非|暂无|非|无|不|未|否认?|已退出|原)(?:" + "|".join(w for w in TAG_WORDS.values()) + r")"
)
_ELDER = 60


@dataclass(slots=True)
class Document:
    """An ID cell as read: `code` is what is wrong; `is_refused` when something stood there that was not taken."""

    kind: str = "none"
    number: str | None = None
    code: str = ""
    birth_on: date | None = None
    sex: int = 0

    @property
    def is_refused(self) -> bool:
        """Whether a number was stated and not taken."""
        return self.number is None and bool(self.code)


def text_of(cell: Cell, limit: int = 500) -> str:
    """Any cell as half-width text, inner white space single; whole floats without `.0`."""
    if cell is None:
        return ""
    if type(cell) is str:
        # numbers are one of a kind and need no tidying; what is worth remembering are words
        return (cell if cell.isascii() and cell.isalnum() else _tidy(cell))[:limit]
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float):
        cell = int(cell) if cell.is_integer() else repr(cell)
    return _tidy(str(cell))[:limit]


@lru_cache(maxsize=20_000)
def _tidy(text: str) -> str:
    """Half-width, white space single; remembered, for the same words fill a roster's columns."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def is_blank(text: str) -> bool:
    """Whether a text only says that there is nothing: 无, 不详, a dash."""
    return not text or (len(text) < 8 and _is_blank(text))


@lru_cache(maxsize=20_000)
def _is_blank(text: str) -> bool:
    return text.strip().lower() in _BLANK


def read_names(cell: Cell) -> list[tuple[str, str]]:
    """The names in a cell, each with what stood in brackets behind it; several only where a separator says so."""
    return list(_names_in(cell)) if isinstance(cell, str) else []


@lru_cache(maxsize=50_000)
def _names_in(cell: str) -> list[tuple[str, str]]:
    if is_blank(text_of(cell)):
        return []
    raw = unicodedata.normalize("NFKC", cell)
    names = []
    parts = split_list(raw)
    if any(len(part.strip()) == 1 for part in parts):
        parts = [raw]  # a name broken over two lines, not two people
    for part in parts:
        match = re.fullmatch(r"([^()]*)(?:\((.*)\))?[^()]*", " ".join(part.split()))
        name = _tight(match[1] if match else part)
        if re.search(r"[^\W\d_]", name):
            names.append((name[:MAX_NAME], (match[2] or "").strip() if match else ""))
    return names


def split_list(cell: Cell) -> list[str]:
    """The parts of a cell that lists several things: 张三、李四."""
    return [part for part in re.split(r"[、,;/\n]", unicodedata.normalize("NFKC", str(cell or ""))) if part.strip()]


def _tight(name: str) -> str:
    """A name without the spaces that line up Chinese characters; Latin names keep theirs."""
    name = re.sub(r"(?<=[\u3400-\u9fff·]) +(?=[\u3400-\u9fff·])", "", " ".join(name.split()))
    return name.strip("*.:。'\"- ")


@lru_cache(maxsize=50_000)
def is_vacant_word(text: str) -> bool:
    """Whether a short text says that nobody lives there."""
    return bool(text) and _VACANT.fullmatch(text.strip("()。.!")) is not None


def says_vacant(text: str) -> bool:
    """Whether a remark says, among other things, that nobody lives there."""
    return bool(text) and any(is_vacant_word(part.strip()) for part in re.split(r"[,,。;;、::()\s]", text))


def is_head(relation: str) -> bool:
    """Whether a relation is the head's own."""
    return relation.lower() in _HEAD


@lru_cache(maxsize=1_000, typed=True)
def read_sex(cell: Cell) -> tuple[int, str]:
    """GB/T 2261.1: 男 → 1, 女 → 2, blank → 0."""
    text = text_of(cell).lower()
    if is_blank(text):
        return 0, ""
    if text in {"男", "男性", "m", "male", "1"}:
        return 1, ""
    if text in {"女", "女性", "f", "female", "2"}:
        return 2, ""
    if text in {"0", "9", "未说明", "其他"}:
        return (9 if text == "9" else 0), ""
    return 0, "sex_unreadable"


@lru_cache(maxsize=10_000, typed=True)
def read_age(cell: Cell) -> int | None:
    """Whole years, None when there is no such number."""
    match = re.fullmatch(r"([0-9]{1,3})(?:\.[0-9]+)?(?:周?岁)?", text_of(cell))
    return int(match[1]) if match and int(match[1]) <= 130 else None


@lru_cache(maxsize=50_000, typed=True)
def read_birth(cell: Cell, today: date, is_1904: bool = False) -> tuple[date | None, bool, str]:
    """A birth date: the day, whether only its month was given (then the first stands for it), a code."""
    if cell is None or isinstance(cell, bool):
        return None, False, ""
    day, is_month = _day_of(cell, is_1904)
    if day is None:
        return None, False, "" if is_blank(text_of(cell)) else "birth_date_invalid"
    if day > today or day.year < OLDEST_YEAR:
        return None, False, "birth_date_invalid"
    return day, is_month, ""


def _day_of(cell: Cell, is_1904: bool) -> tuple[date | None, bool]:
    if isinstance(cell, datetime):
        return cell.date(), False
    if isinstance(cell, date):
        return cell, False
    if isinstance(cell, int | float):
        return _day_of_number(float(cell), is_1904)
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", str(cell))).strip()
    text = re.sub(r"[ T]0{1,2}:0{1,2}(:0{1,2})?(\.0+)?$", "", text)
    text = re.sub(r"[‐‑–—−/.年月]", "-", text.replace(" ", "")).removesuffix("生").removesuffix("日").strip("-")
    match = re.fullmatch(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?", text) or re.fullmatch(
        r"([0-9]{4})([0-9]{2})([0-9]{2})?", text
    )
    if match:
        return _day(int(match[1]), int(match[2]), int(match[3] or 1)), match[3] is None
    return None, False


def _day_of_number(number: float, is_1904: bool) -> tuple[date | None, bool]:
    """19530810, 195308, 1953.8 and Excel's count of days. 1953.1 may be January or October: not read."""
    if not number.is_integer():
        match = re.fullmatch(r"([0-9]{4})\.(0[1-9]|1[0-2]|[2-9])", repr(number))
        if match:
            return _day(int(match[1]), int(match[2]), 1), True
        if number < 2200:
            return None, False
    whole = int(number)
    if 18800101 <= whole <= 99991231 and number.is_integer():
        return _day(whole // 10000, whole // 100 % 100, whole % 100), False
    if 188001 <= whole <= 999912 and number.is_integer():
        return _day(whole // 100, whole % 100, 1), True
    if 2200 <= whole < 110_000:  # below it would be a year
        return date(1899, 12, 30) + timedelta(days=whole + (1462 if is_1904 else 0)), False
    return None, False


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_phones(cell: Cell) -> tuple[list[str], str]:
    """The phone numbers of a cell, digits only (an extension behind a dash), and a code when one was no number."""
    if cell is None:
        return [], ""
    if isinstance(cell, str) and _MOBILE.fullmatch(cell):
        return [cell], ""
    text = unicodedata.normalize("NFKC", text_of(cell, 200) if not isinstance(cell, str) else cell)
    if is_blank(text):
        return [], ""
    phones = []
    code = ""
    for part in re.split(r"[、,;/\n]|或", re.sub(r"(?<=[0-9])\.0$", "", text)):
        number = re.sub(
            r"[\s()._:·‐‑‒–—―−]|[^\W\d_]*(?:电话|手机|号码)", lambda m: "-" if m[0] in "‐‑‒–—―−" else "", part
        )
        number = re.sub(r"(?<=[0-9])[\u4e00-\u9fff]+$", "", number).lower()
        number = re.sub(r"^(?:\+|00)?86-?(?=[10])", "", number).strip("-+'")
        if not number:
            continue
        digits = number.replace("-", "")
        line = _LANDLINE.fullmatch(number) or _LANDLINE.fullmatch(digits)
        if _MOBILE.fullmatch(digits):
            phones.append(digits)
        elif line:
            phones.append(line[1] + line[2] + (f"-{line[3]}" if line[3] else ""))
        else:
            code = "phone_invalid"
    return phones, code


@lru_cache(maxsize=1_000, typed=True)
def read_kind(cell: Cell) -> str:
    """The kind of document a column names, empty when it names none."""
    text = text_of(cell).lower()
    if not text:
        return ""
    return next((kind for pattern, kind in _KINDS if re.search(pattern, text)), "")


def read_document(cell: Cell, stated_kind: str, today: date) -> Document:
    """An ID cell. A number cell is refused whatever it shows: Excel keeps fifteen digits of a number."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Document(code="id_from_number")
    if isinstance(cell, date | bool):
        return Document(code="id_unreadable")
    if cell is not None and _WRITTEN_WELL.fullmatch(cell) and stated_kind not in ("passport", "other"):
        return _resident_id(cell, today)  # nothing to tidy, as nearly always
    number = re.sub(r"[\s'\"‐‑‒–—―−-]", "", unicodedata.normalize("NFKC", cell or "")).upper()
    number = re.sub(r"^[\u4e00-\u9fff]{2,}:?", "", number)
    if is_blank(number) or not number:
        return Document()
    if _SCIENTIFIC.fullmatch(number):
        return Document(code="id_from_number")
    if len(number) == 18:
        number = number[:17] + number[17].translate(_CHECK_LOOKALIKES)
    if re.fullmatch(r"[0-9]{17}[0-9X]", number) and stated_kind not in ("passport", "other"):
        return _resident_id(number, today)
    if re.fullmatch(r"[0-9]{15}", number) and stated_kind in ("", "resident_id"):
        found = _resident_id(complete_15_digits(number), today)
        found.code = found.code or "id_15_digits"
        return found
    for pattern, kind in _FOREIGN_FORMS:
        if pattern.fullmatch(number):
            return Document(stated_kind if stated_kind not in ("", "resident_id") else kind, number)
    if stated_kind not in ("", "resident_id") and re.fullmatch(r"[A-Z0-9]{5,20}", number):
        return Document(stated_kind, number)
    return Document(code="id_unreadable")


def _resident_id(number: str, today: date) -> Document:
    if not is_resident_id(number):
        return Document(code="id_checksum")
    born = birth_date(number)
    if born is None or born > today or born.year < OLDEST_YEAR:
        return Document(code="id_birth_date")
    # residence permits of people from Hong Kong, Macau, Taiwan and abroad share the form of the resident ID
    kind = {"81": "hk_macau_permit", "82": "hk_macau_permit", "83": "taiwan_permit"}.get(number[:2])
    if kind is None:
        kind = "foreigner_permit" if number[0] == "9" else "resident_id"
    return Document(kind, number, birth_on=born, sex=sex_of(number))


def read_tags(text: str, age: int | None) -> list[str]:
    """Tags a free text states; 独居 only of somebody of sixty or more, or who is called an elder."""
    return list(_tags_in(text, age))


@lru_cache(maxsize=50_000)
def _tags_in(text: str, age: int | None) -> list[str]:
    if not any("\u3400" <= ch <= "\u9fff" for ch in text):
        return []  # the words are Chinese
    text = _NEGATED.sub("", text)
    tags = [tag for tag, words in _TAGS.items() if words.search(text)]
    if "living_alone_elder" in tags:
        said = re.search(r"([0-9]{2,3})周?岁", text)
        age = int(said[1]) if age is None and said else age
        is_elder = (age is not None and age >= _ELDER) or re.search(r"老人|老年|孤寡", text)
        if not is_elder:
            tags.remove("living_alone_elder")
    return tags


def says_yes(cell: Cell, tag: str) -> bool:
    """Whether a yes-or-no column about a tag says yes."""
    text = text_of(cell).lower()
    if is_blank(text) or text in {"否", "n", "no", "0", "×", "x", "不是", "非", "false"}:
        return False
    stated = _NEGATED.sub("", text)
    if stated != text or _TAGS[tag].search(stated):
        return _TAGS[tag].search(stated) is not None
    return text in {"是", "有", "y", "yes", "1", "√", "✓", "✔", "true"} or re.search(r"[级类]", text) is not None
