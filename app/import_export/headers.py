"""Finding the header row of a roster and saying which field each column holds.

No two committees head their columns alike. A header word is matched whole first, then by what it contains; a word
that names somebody who does not live there (楼长, 网格员, 紧急联系人, 房东) is never matched. What is not known stays
`None`, for a person to map.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from app.import_export.readings import UnreadableFile
from app.import_export.workbook import Cell, Sheet, letter_of

# field: names a person may choose it by
FIELDS: dict[str, tuple[str, str]] = {
    "serial": ("序号", "Serial number"),
    "household_number": ("户号", "Household number"),
    "town": ("镇街", "Town or street"),
    "community": ("村居", "Community"),
    "compound": ("小区(组、街巷)", "Compound"),
    "building": ("楼号", "Building"),
    "stair": ("单元", "Stair"),
    "floor": ("楼层", "Floor"),
    "room": ("门牌号", "Room"),
    "address": ("住址", "Address"),
    "head_name": ("户主姓名", "Head of household"),
    "head_id_number": ("户主证件号码", "Head's ID number"),
    "head_phone": ("户主电话", "Head's phone"),
    "head_count": ("人口数", "Number of people"),
    "name": ("姓名", "Name"),
    "relation": ("与户主关系", "Relation to head"),
    "sex": ("性别", "Sex"),
    "age": ("年龄", "Age"),
    "birth_on": ("出生日期", "Birth date"),
    "id_kind": ("证件类型", "Kind of document"),
    "id_number": ("证件号码", "ID number"),
    "phone": ("联系电话", "Phone"),
    "workplace": ("工作单位", "Workplace"),
    "arrival": ("来济方式", "Arrival"),
    "health": ("健康状况", "Health"),
    "note": ("备注", "Note"),
    "living_alone_elder": ("是否独居老人", "Elderly, living alone"),
    "household_in_hardship": ("是否困难家庭", "In hardship"),
    "tenant": ("是否租户", "Tenant"),
    "chronic_illness": ("是否慢性病", "Chronic illness"),
    "disabled": ("是否残疾", "Disabled"),
    "pregnant": ("是否孕妇", "Pregnant"),
    "infant": ("是否婴幼儿", "Infant"),
    "collective_household": ("是否集体户", "Collective household"),
}
"""What a column may hold. Besides: `memberN_name` and the other person fields, N from 1, for members side by side."""

PERSON_FIELDS = ("name", "relation", "sex", "age", "birth_on", "id_kind", "id_number", "phone", "workplace")
PLACE_FIELDS = ("town", "community", "compound", "building", "stair", "floor", "room", "address")

_WHOLE: dict[str, str] = {
    alias: name
    for name, aliases in {
        "serial": "序号 编号 序 no no. index",
        "household_number": "户号 户编号 户序号 家庭编号 住户编号",
        "town": "镇街 街镇 街道 乡镇 街道(镇) 镇(街) 镇(街道) 街道办 街道办事处 所属街道 所在街道 所属镇街 所在镇街 "
        "街道名称 镇街名称 乡镇街道 town",
        "community": "社区代码 村居代码 社区编码 村居编码 区划代码 "
        "社区 村居 社区名称 村居名称 所属社区 所在社区 社区村 社区(村) 村社区 community 行政村 村(居)",
        "compound": "小区 小区名称 所属小区 所在小区 楼盘 院落 苑区 村民小组 小组 组别 组 自然村 街巷 胡同 巷 compound",
        "building": "楼号 楼 栋 楼栋 幢 栋号 楼栋号 幢号 楼幢 楼幢号 楼座 座 座号 号楼 楼宇 building",
        "stair": "单元 单元号 单元门 门洞 stair unit",
        "floor": "楼层 层 层数 所在楼层 floor",
        "room": "门牌号 门牌 室 室号 房 房号 房间号 房间 户室 房屋号 门号 房室号 户室号 住房号 门牌号码 "
        "room 门户号 室(户) 房屋编号",
        "address": "地址 住址 家庭住址 家庭地址 现住址 现住地址 居住地址 居住地 详细地址 详细住址 住所 房屋地址 "
        "住房地址 现居住地 现居住地址 常住地址 居住地点 address 楼栋单元室 楼门号 房屋坐落",
        "head_name": "户主 户主姓名 户主名 户主名字 户主信息 房主 业主 业主姓名 head",
        "head_count": "人数 人口 人口数 家庭人口 家庭人口数 家庭人数 居住人数 居住人口 常住人数 常住人口数 户人口 "
        "总人数 家庭成员数",
        "name": "姓名 名字 家庭成员 家庭成员姓名 成员姓名 成员 居民姓名 人员姓名 住户姓名 居住人姓名 居住人员 "
        "居住人员姓名 居住人 住户 被登记人 name",
        "relation": "与户主关系 关系 与户主的关系 和户主关系 同户主关系 与业主关系 家庭关系 称谓 户主关系 "
        "relation 与房主关系",
        "sex": "性别 sex gender",
        "age": "年龄 周岁 岁数 age",
        "birth_on": "出生日期 出生年月 出生年月日 生日 出生 出生时间 birthday birthdate dateofbirth",
        "id_kind": "证件类型 证件种类 证件类别 证件名称 idtype",
        "id_number": "身份证号 身份证 证件号码 公民身份号码 身份证号码 证件号 公民身份证号 公民身份证号码 居民身份证 "
        "身份号码 id idnumber 有效证件号码",
        "phone": "联系电话 手机 电话 手机号 手机号码 联系方式 电话号码 联系号码 移动电话 本人电话 phone mobile tel",
        "workplace": "工作单位 单位 单位名称 所在单位 就业单位 工作单位及职务 就读学校 工作单位或学校 工作单位学校 "
        "workplace",
        "arrival": "来济方式 何时从何地来济 来济时间 来源地 来自何地 返济方式 返济时间 外地返回情况",
        "health": "健康状况 是否发热 身体状况 健康情况 身体情况 健康 有无发热",
        "note": "备注 特殊情况 说明 其他 其它 情况说明 备注说明 人员类别 人员类型 居住情况 居住状态 房屋状态 "
        "房屋情况 房屋用途 住房性质 住户类型 户类型 户口性质 房屋使用情况 居住性质 特殊人群 特殊人员 "
        "note remark",
        "tenant": "是否租户 是否租住 是否出租 是否租房 租户",
        "household_in_hardship": "是否低保 低保 是否困难 是否困难家庭 是否低保户 低保户 困难户",
        "living_alone_elder": "是否独居 独居老人 是否独居老人 独居",
        "disabled": "是否残疾 残疾 残疾人 是否残疾人 残疾情况",
        "pregnant": "是否孕妇 孕妇 是否怀孕 孕产妇",
        "infant": "婴幼儿 是否婴幼儿",
        "chronic_illness": "慢性病 是否慢性病 慢性病情况 基础疾病 有无慢性病 有无基础疾病",
        "collective_household": "是否集体户 集体户",
    }.items()
    for alias in aliases.split()
}

# in this order: the first pattern found inside a header word decides
_PARTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"户籍地|户口所在|户口地|籍贯|出生地|来源|单位(地址|电话)|工作地", ""),
        (r"楼长|网格|紧急|监护|联系人|房东|出租人|包保|责任人|填表|填报|登记人|采集|党员姓名|单元长|栋长|管理员", ""),
        (r"(户主|业主|房主).*(身份证|证件)", "head_id_number"),
        (r"(户主|业主|房主).*(电话|手机|联系)", "head_phone"),
        (r"与.*关系", "relation"),
        (r"^(户主|业主|房主)", "head_name"),
        (r"(证件|身份证).*(类型|种类|类别)", "id_kind"),
        (r"身份证|证件号|身份号码", "id_number"),
        (r"电话|手机|联系方式", "phone"),
        (r"出生(日期|年月|时间)", "birth_on"),
        (r"(是否|有无).*(发热|症状|咳嗽)|健康(状况|情况)|身体(状况|情况)", "health"),
        (r"[来返](济|鲁|本地).*(方式|时间)|何[时地].*[来返]", "arrival"),
        (r"(人口|人)数$|总?人口$", "head_count"),
        (r"[楼栋幢].*(室|房号|户号|门牌)", "address"),
        (r"[楼栋幢].*单元", "building"),
        (r"单元.*(室|房|门牌|户号)", "room"),
        (r"单元", "stair"),
        (r"门牌|房间号|房号|室号", "room"),
        (r"楼号|楼栋|栋号|幢", "building"),
        (r"小区", "compound"),
        (r"工作单位|就读学校", "workplace"),
        (r"住址|居住地|家庭地址|详细地址", "address"),
        (r"姓名", "name"),
        (r"备注", "note"),
    )
)
_MEMBER = re.compile(
    r"(?:家庭)?(?:成员|第|人员|居住人|住户|家属)(?:姓名)?([0-9]{1,2}|十[一二]?|[一二三四五六七八九])(?:人|位|个)?(.*)"
)
_NUMBERED = re.compile(r"(\D{2,}?)([0-9]{1,2})")
_MEMBER_FIELD = re.compile(r"member([1-9][0-9]?)_(" + "|".join(PERSON_FIELDS) + ")")
_CHINESE = {ch: n for n, ch in enumerate("一二三四五六七八九十", 1)} | {"十一": 11, "十二": 12}
_LOOK_AHEAD = 80
_DATA_WORDS = {"男", "女", "是", "否", "有", "无", "配偶", "子", "户主本人"}
_Words = tuple[str, str]
_CODE_WORD = re.compile(r"代码|编码|code")
_DIGITS = re.compile(r"[0-9]{5,}")
_LONG_NUMBER = re.compile(r"\d{7,}")
"""A phone or ID number; dates in titles and headers are shorter or written with signs."""


def is_field(name: str) -> bool:
    """Whether `name` may stand in a mapping."""
    return name in FIELDS or _MEMBER_FIELD.fullmatch(name) is not None


@dataclass(slots=True)
class Header:
    """How a sheet is to be read: its header's last row (0-based, -1 when data begin at once) and for each field
    its columns, left to right."""

    first_row: int
    last_row: int
    texts: list[str]
    fields: list[str | None]
    columns: dict[str, list[int]] = field(default_factory=dict)
    members: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        found: dict[str, list[int]] = defaultdict(list)
        for column, name in enumerate(self.fields):
            if name:
                found[name].append(column)
        # where a code stands beside the name, the code says more
        found["community"].sort(key=lambda column: not _CODE_WORD.search(squeeze(self.texts[column])))
        self.columns = {name: columns for name, columns in found.items() if columns}
        numbers = {int(match[1]) for name in found if (match := _MEMBER_FIELD.fullmatch(name))}
        self.members = sorted(numbers)

    def has(self, *names: str) -> bool:
        """Whether any of the fields has a column."""
        return any(name in self.columns for name in names)


def find_header(sheet: Sheet, mapping: Mapping[str, str | None] | None = None) -> Header | None:
    """The sheet's header, None when no row has known header words. A mapping (letter → field or None) goes before
    what is found."""
    mapped = _checked(mapping)
    best: tuple[int, int, int] | None = None
    words: list[_Words] = []
    spans = _spans(sheet)
    for row in range(min(len(sheet.rows), _LOOK_AHEAD)):
        if _is_somebody(sheet.rows[row]):
            continue
        for depth in (1, 2):
            if row + depth > len(sheet.rows) or (depth == 2 and not _continues(sheet.rows[row + 1])):
                continue
            found = [_words(sheet, spans, row, depth, column) for column in range(len(sheet.rows[row]))]
            known = {name for name in _assign(found) if name}
            # of equals the flatter, then the earlier: a second header row must add something
            if _is_enough(known) and (best is None or (len(known), -depth) > (best[0], -best[2])):
                best, words = (len(known), row, depth), found
    if best is None:
        return None
    fields = _assign(words)
    _override(fields, mapped)
    texts = [" ".join(word for word in pair if word) for pair in words]
    return Header(best[1], best[1] + best[2] - 1, texts, fields)


def field_of(text: str) -> str | None:
    """The field a header word names, None when nobody knows."""
    word = squeeze(text)
    if not word or len(word) > 30:
        return None
    bare = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", "", word).strip("*:")
    for candidate in (word, bare, *re.split(r"[/、,或]", bare)):
        if candidate in _WHOLE:
            return _WHOLE[candidate]
    if bare[:1].isdigit():
        return None  # "1单元" is a stair, not the word above a column of stairs
    for pattern, name in _PARTS:
        if pattern.search(bare):
            return name or None
    return None


def squeeze(text: str) -> str:
    """A header word without spaces, in half-width lower case."""
    return text.lower() if text.isascii() and text.isalnum() else _squeeze(text)


@lru_cache(maxsize=20_000)
def _squeeze(text: str) -> str:
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", text)).lower()


def mask(cell: Cell) -> str:
    """A cell shown as an example: what it looks like, not whose it is. Long numbers, days of birth and all but the
    first letter of short names are starred."""
    if cell is None:
        return ""
    if hasattr(cell, "year"):
        return f"{cell.year}-**-**"
    text = f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell)
    text = _DIGITS.sub(lambda match: match[0][:3] + "*" * (len(match[0]) - 3), unicodedata.normalize("NFKC", text))
    return text[:24]


def mask_name(cell: Cell) -> str:
    """A name shown as an example: the surname."""
    text = mask(cell)
    return text[:1] + "*" * (len(text) - 1)


def _is_enough(known: set[str]) -> bool:
    """Two known words are a header when one of them says who."""
    return len(known) >= 2 and any(
        name in {"name", "head_name", "id_number", "relation"} or name.startswith("member") for name in known
    )


def _is_somebody(row: Sequence[Cell]) -> bool:
    """Whether a row tells of a person, however many of its words (户主, 独居老人) also stand in headers."""
    return any(cell in ("男", "女") or _LONG_NUMBER.search(str(cell)) for cell in row if cell is not None)


def _continues(row: Sequence[Cell]) -> bool:
    """Whether a row may be the second row of a header: words only, mostly known ones, none of them data."""
    filled = [cell for cell in row if cell is not None]
    words = [cell for cell in filled if isinstance(cell, str) and cell not in _DATA_WORDS]
    known = sum(field_of(word) is not None or _member(squeeze(word)) is not None for word in words)
    has_digits = any(re.search(r"\d", word) and not _member(squeeze(word)) for word in words)
    return len(words) == len(filled) and not has_digits and known >= 2 and known * 2 >= len(words)


def _spans(sheet: Sheet) -> dict[tuple[int, int], str]:
    """Text of header cells that are merged, for every cell they cover."""
    spans: dict[tuple[int, int], str] = {}
    for top, left, bottom, right in sheet.merges:
        if top >= min(len(sheet.rows), _LOOK_AHEAD) or left >= len(sheet.rows[top]):
            continue
        text = sheet.rows[top][left]
        if not isinstance(text, str):
            continue
        for row in range(top, min(bottom, top + 3, len(sheet.rows) - 1) + 1):
            for column in range(left, min(right, len(sheet.rows[top]) - 1) + 1):
                spans[row, column] = text
    return spans


def _words(sheet: Sheet, spans: dict[tuple[int, int], str], row: int, depth: int, column: int) -> _Words:
    """The header words above and of a column."""
    lower = sheet.rows[row + depth - 1][column]
    if depth == 1:
        return "", lower if isinstance(lower, str) else ""
    upper: Cell = spans.get((row, column)) or sheet.rows[row][column]
    lower = lower or spans.get((row + 1, column))
    if upper is None and lower is not None and not sheet.merges:
        # a csv has lost its merges: a group's word stands over its first column only
        upper = next((cell for cell in reversed(sheet.rows[row][:column]) if cell is not None), None)
    above, below = (cell if isinstance(cell, str) else "" for cell in (upper, lower))
    return ("", above) if not below or above == below else (above, below)


def _member(word: str) -> tuple[int, str] | None:
    """`成员2姓名`, `姓名2` → number and field; None for a word without a number."""
    match = _MEMBER.fullmatch(word)
    if match:
        number = int(match[1]) if match[1].isdigit() else _CHINESE[match[1]]
        rest = match[2].strip("()-:的")
        name = field_of(rest) if rest else "name"
    elif match := _NUMBERED.fullmatch(word.replace("(", "").replace(")", "")):
        number, name = int(match[2]), field_of(match[1])
    else:
        return None
    return (number, name) if name in PERSON_FIELDS and 1 <= number <= 99 else None


def _assign(words: Sequence[_Words]) -> list[str | None]:
    """The field of each column; persons side by side are numbered, each beginning with a name."""
    fields: list[str | None] = []
    slot = 1
    for upper, lower in words:
        member = _member(squeeze(upper + lower)) or _member(squeeze(lower))
        if member:
            fields.append(f"member{member[0]}_{member[1]}")
            continue
        name = field_of(lower)
        if upper and field_of(upper) == "head_name" and name in {"name", "id_number", "phone"}:
            name = f"head_{name}"
        name = name or field_of(upper)
        if name == "name" and "name" in fields:
            slot += 1
        if slot > 1 and name in PERSON_FIELDS:
            name = f"member{slot}_{name}"
        fields.append(name)
    return fields


def _checked(mapping: Mapping[str, str | None] | None) -> dict[str, str | None]:
    for letter, name in (mapping or {}).items():
        if not re.fullmatch(r"[A-Z]{1,3}", letter) or not (name is None or is_field(name)):
            raise UnreadableFile(
                "mapping_invalid",
                f"列的对应关系有误：{letter[:20]} → {str(name)[:40]}。",
                f"The mapping of columns is wrong: {letter[:20]} → {str(name)[:40]}.",
            )
    return dict(mapping or {})


def _override(fields: list[str | None], mapped: Mapping[str, str | None]) -> None:
    chosen = {name for name in mapped.values() if name}
    for column, name in enumerate(fields):
        letter = letter_of(column)
        if letter in mapped:
            fields[column] = mapped[letter]
        elif name in chosen:
            fields[column] = None


def mapped_header(sheet: Sheet, mapping: Mapping[str, str | None]) -> Header | None:
    """A header where no word is known, by the mapping alone: the first row with short words in most of the mapped
    columns, or no row at all when that row is data."""
    mapped = _checked(mapping)
    width = len(sheet.rows[0]) if sheet.rows else 0
    columns = [c for c in range(width) if mapped.get(letter_of(c))]
    if not columns:
        return None
    for row, cells in enumerate(sheet.rows[:_LOOK_AHEAD]):
        filled = [cells[column] for column in columns if cells[column] is not None]
        if len(filled) * 2 < len(columns) or len(filled) < min(2, len(columns)):
            continue
        is_words = all(
            isinstance(cell, str) and len(cell) <= 20 and not re.search(r"\d", cell) and cell not in _DATA_WORDS
            for cell in filled
        )
        texts = [cell if isinstance(cell, str) else "" for cell in cells] if is_words else [""] * width
        at = row if is_words else row - 1
        return Header(row, at, texts, [mapped.get(letter_of(column)) for column in range(width)])
    return None
