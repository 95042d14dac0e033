"""Every list that can be taken away, its columns once: where a value stands in an item, its headings, how it looks.

By the name of the list's route function. A list that is in neither of the tables here fails
`tests/exports/test_lists.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from app.exports import words as w
from app.exports.words import Words

Kind = Literal["text", "number", "day", "instant", "words"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` leads through an item by dots; `words` are looked up for a code or for each of several.

    `value` works a cell out of what stands at `path` instead.
    """

    path: str
    zh: str
    en: str
    kind: Kind = "text"
    width: float = 12
    words: Words | None = None
    value: Callable[[Any], str | int | float | None] | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A list's title and columns."""

    zh: str
    en: str
    columns: tuple[Column, ...]
    name: str = ""
    """The export's own name, where that of the list does not make one."""


def _text(path: str, zh: str, en: str, width: float = 12) -> Column:
    return Column(path, zh, en, "text", width)


def _number(path: str, zh: str, en: str, width: float = 9) -> Column:
    return Column(path, zh, en, "number", width)


def _day(path: str, zh: str, en: str) -> Column:
    return Column(path, zh, en, "day", 12)


def _at(path: str, zh: str, en: str) -> Column:
    return Column(path, zh, en, "instant", 17)


def _words(path: str, zh: str, en: str, words: Words, width: float = 12) -> Column:
    return Column(path, zh, en, "words", width, words)


def _flag(path: str, zh: str, en: str) -> Column:
    return Column(path, zh, en, "words", 8, w.YES_NO)


_COMMUNITY = (_text("community_code", "村居代码", "Community code", 15),)
_NAMED_COMMUNITY = (*_COMMUNITY, _text("community_name", "村居", "Community", 16))
_PLACE = (
    _text("compound", "小区", "Compound", 16),
    _text("building", "楼栋", "Building", 9),
    _text("stair", "单元", "Stair", 8),
)
_DOOR = (*_PLACE, _text("room", "室号", "Room", 9), _text("address", "其他地址", "Other address", 18))
_FLOOR = _number("floor", "楼层", "Floor", 7)
_HOME = (_text("address", "地址", "Address", 26), _text("head_name", "户主", "Head", 11))
_PERSON = (
    _text("name", "姓名", "Name", 11),
    _words("relation", "与户主关系", "Relation", w.RELATION, 11),
    _words("sex", "性别", "Sex", w.SEX, 7),
    _number("birth_year", "出生年份", "Birth year"),
    _number("age", "年龄", "Age", 7),
    _words("id_kind", "证件类型", "Document", w.ID_KIND, 16),
    _text("id_masked", "证件号码", "ID number", 21),
    _text("phone_masked", "电话", "Phone", 14),
)
_JUDGED = (
    _words("flag_code", "标记原因", "Flag", w.FLAG, 22),
    _words("verdict", "核对结果", "Verdict", w.VERDICT, 10),
    _at("judged_at", "核对时间", "Judged at"),
    _text("judged_by_name", "核对人", "Judged by", 11),
    _text("reason", "核对说明", "Why", 20),
)
_RECORDED = (
    _at("recorded_at", "登记时间", "Recorded at"),
    _at("received_at", "收到时间", "Received at"),
    _text("actor_name", "登记人", "By", 11),
)


def _count_status(status: str | None) -> Callable[[Any], int]:
    return lambda persons: sum(status is None or p.get("status") == status for p in persons)


def _highest(persons: Any) -> float | None:
    known = [p["temperature_c"] for p in persons if p.get("temperature_c") is not None]
    return max(known, default=None)


def _names(people: Any) -> str:
    return "、".join(one.name for one in people)


def _people(persons: Any) -> str:
    return "、".join(str(one.name) for one in persons)


def _side(number: int) -> Callable[[Any], str]:
    def said(sides: Any) -> str:
        if number >= len(sides):
            return ""
        side = sides[number]
        person = side.person.name if side.person else ""
        return " ".join(part for part in (person, side.address, side.head_name) if part)

    return said


def _grants(grants: Any) -> str:
    return "、".join(f"{g.name or g.division_code} {w.ROLE.get(g.role, (g.role,))[0]}" for g in grants)


_STAYS = (
    _text("name", "姓名", "Name", 11), *_NAMED_COMMUNITY, _text("address", "地址", "Address", 26),
    _words("kind", "类别", "Kind", w.RESIDENCE_KIND), _words("relation", "与户主关系", "Relation", w.RELATION, 11),
    _day("started_on", "起", "From"), _words("reason_in", "为何来", "Came by", w.CAME),
    _text("from_place", "从哪里来", "From where", 18),
    _text("from_community_name", "从哪个村居来", "From community", 16),
    _day("ended_on", "止", "To"), _words("reason_out", "为何离开", "Went by", w.WENT),
    _text("to_place", "去哪里", "Where to", 18), _text("to_community_name", "去哪个村居", "To community", 16),
    _words("transfer_status", "转出情况", "Transfer", w.TRANSFER_STATUS), _text("by_name", "登记人", "By", 11),
)  # fmt: skip

LISTS: dict[str, List] = {
    "list_household_residences": List("历任成员", "Who has lived here", _STAYS),
    "list_resident_residences": List("住过的地方", "Where a person has lived", _STAYS),
    "list_separated": List("人户分离", "Registered and living apart", _STAYS, name="export_separated"),
    "get_timeline": List(
        "住户时间线", "Timeline of a household",
        (
            _day("on", "日期", "On"), _words("event", "事项", "What", w.EVENT, 16),
            Column("persons", "涉及的人", "Who", "text", 24, value=_people), _text("place", "地点", "Place", 18),
            _text("community_name", "村居", "Community", 16), _text("by_name", "登记人", "By", 11),
            _at("at", "登记时间", "Recorded at"),
        ),
        name="export_timeline",
    ),
    "list_tenures": List(
        "住房关系", "Tenures",
        (
            _words("kind", "住房关系", "Tenure", w.TENURE), _day("started_on", "起", "From"),
            _day("ended_on", "止", "To"), _text("landlord_name", "房东", "Landlord", 11),
            _text("landlord_phone_masked", "房东电话", "Landlord's phone", 14),
            _text("recorded_by_name", "登记人", "By", 11),
        ),
    ),
    "list_transfers": List(
        "转入转出", "Transfers",
        (
            _text("name", "姓名", "Name", 11), _words("sex", "性别", "Sex", w.SEX, 7),
            _number("birth_year", "出生年份", "Birth year"), _text("id_masked", "证件号码", "ID number", 21),
            _text("from_community_name", "从哪个村居来", "From", 16), _text("community_name", "去哪个村居", "To", 16),
            _day("left_on", "离开日期", "Left on"), _text("place", "地点", "Place", 18),
            _words("is_registration_kept", "户口留在原处", "Stays registered there", w.YES_NO),
            _words("status", "情况", "Status", w.TRANSFER_STATUS), _text("reason", "说明", "Why", 24),
            _at("sent_at", "转出时间", "Sent at"), _text("sent_by_name", "转出人", "Sent by", 11),
            _at("decided_at", "处理时间", "Decided at"), _text("decided_by_name", "处理人", "Decided by", 11),
        ),
    ),
    "list_duplicates": List(
        "重复登记", "Registered twice",
        (
            *_COMMUNITY, _words("kind", "类别", "Kind", w.DUPLICATE_KIND),
            _words("status", "情况", "Status", w.DUPLICATE_STATUS),
            Column("sides", "登记一", "One entry", "text", 34, value=_side(0)),
            Column("sides", "登记二", "The other entry", "text", 34, value=_side(1)),
            _text("elsewhere.community_name", "另一村居", "Other community", 16),
            _words("answer", "本处答复", "Answer here", w.ANSWER, 16),
            _words("elsewhere.answer", "对方答复", "Their answer", w.ANSWER, 16), _text("reason", "说明", "Why", 24),
            _at("found_at", "发现时间", "Found at"), _at("decided_at", "处理时间", "Decided at"),
            _text("decided_by_name", "处理人", "Decided by", 11),
        ),
    ),
    "list_roster": List(
        "登记花名册", "Registry roster",
        (
            *_COMMUNITY, *_PLACE, _FLOOR, _text("room", "室号", "Room", 9),
            _text("address", "其他地址", "Other address", 18), _flag("is_vacant", "空房", "Vacant"),
            _text("head_name", "户主", "Head", 11), *_PERSON, _text("workplace", "工作单位", "Workplace", 18),
            _words("tags", "标签", "Tags", w.TAG, 18),
            _text("household_phone_masked", "家庭电话", "Household phone", 14),
            _flag("needs_id_check", "证件待核", "ID to check"),
        ),
    ),
    "list_households": List(
        "住户", "Households",
        (
            *_DOOR, _FLOOR, _text("head_name", "户主", "Head", 11), _number("resident_count", "人数", "People", 7),
            _words("kind", "户别", "Kind", w.HOUSEHOLD_KIND, 9), _text("phone_masked", "电话", "Phone", 14),
            _words("tags", "标签", "Tags", w.TAG, 20), _text("note", "备注", "Note", 24),
        ),
    ),
    "list_residents": List(
        "家庭成员", "Members of a household",
        (*_PERSON, _words("tags", "标签", "Tags", w.TAG, 18), _flag("needs_id_check", "证件待核", "ID to check")),
        name="export_household_members",
    ),
    "search_residents": List(
        "查找居民", "People found",
        (
            *_COMMUNITY, *_DOOR, _text("head_name", "户主", "Head", 11), *_PERSON,
            _words("tags", "标签", "Tags", w.TAG, 18), _words("matched", "按什么找到", "Found by", w.MATCHED, 12),
        ),
        name="export_residents_found",
    ),
    "list_buildings": List(
        "楼栋", "Buildings",
        (
            _text("compound", "小区", "Compound", 16), _text("building", "楼栋", "Building", 10),
            _words("stairs", "单元", "Stairs", {}, 14),
            _number("dwelling_count", "门数", "Doors"), _number("household_count", "户数", "Households"),
            _number("resident_count", "人数", "People"), _number("vacant_count", "空房", "Vacant"),
            _number("unassigned_count", "无责任区", "Without an area"),
        ),
    ),
    "list_doors": List(
        "房屋", "Doors",
        (
            *_DOOR, _FLOOR, _flag("is_vacant", "空房", "Vacant"), _number("household_count", "户数", "Households"),
            _number("resident_count", "人数", "People"),
        ),
    ),
    "list_lapsing": List(
        "待确认的标签和备注", "Tags and notes to confirm",
        (
            *_COMMUNITY, *_HOME, _words("tags", "标签", "Tags", w.TAG, 20),
            _day("tags_until", "标签保留到", "Tags until"), _text("note", "备注", "Note", 24),
            _day("note_until", "备注保留到", "Note until"),
        ),
    ),
    "list_conflicts": List(
        "待定的更正", "Corrections to decide",
        (
            *_COMMUNITY, *_HOME, _text("resident_name", "居民", "Person", 11),
            _words("subject", "对象", "Of", w.SUBJECT, 8), _words("field", "项目", "Fact", w.PERSON_FIELD),
            _words("server.value", "现有内容", "Stands", w.EDITED, 18),
            _text("server.actor_name", "现有内容由谁", "By", 11),
            _at("server.at", "现有内容时间", "At"), _words("phone.value", "手机上的内容", "On the phone", w.EDITED, 18),
            _text("phone.actor_name", "手机上由谁", "By", 11), _at("phone.at", "手机上的时间", "At"),
            _at("filed_at", "提出时间", "Filed at"),
        ),
    ),
    "list_divisions": List(
        "区划", "Divisions",
        (
            _text("code", "区划代码", "Code", 15), _text("name", "名称", "Name", 22),
            _words("level", "级别", "Level", w.LEVEL), _text("parent_code", "上级代码", "Code above", 15),
            _number("child_count", "下辖", "Below"),
        ),
    ),
    "list_division_changes": List(
        "区划代码变更", "Changes of codes",
        (
            _day("effective_on", "生效日期", "From"), _words("kind", "变更", "What", w.CHANGE_KIND),
            _words("level", "级别", "Level", w.LEVEL), _text("old_code", "原代码", "Old code", 15),
            _text("old_name", "原名称", "Old name", 22), _text("new_code", "新代码", "New code", 15),
            _text("new_name", "新名称", "New name", 22), _text("source", "依据", "List", 24),
            _at("adopted_at", "办理时间", "Adopted at"),
        ),
    ),
    "list_responsibility_areas": List(
        "责任区", "Responsibility areas",
        (
            *_NAMED_COMMUNITY, _text("name", "责任区", "Area", 18), _words("places", "范围", "Where", {}, 28),
            _number("dwelling_count", "门数", "Doors"), _number("household_count", "户数", "Households"),
            _text("holder.name", "责任人", "Holder", 12), _at("assigned_at", "分配时间", "Assigned at"),
            _flag("is_open", "开放认领", "Open"), _text("note", "备注", "Note", 24),
        ),
    ),
    "list_posts": List(
        "先锋岗位", "Posts",
        (
            *_NAMED_COMMUNITY, _text("title", "岗位", "Post", 20), _words("kind", "类别", "Kind", w.POST_KIND),
            _flag("is_demonstration", "示范岗", "Demonstration"), _text("duty", "职责", "Duty", 24),
            _text("place", "地点", "Place", 16), _at("starts_at", "开始", "From"), _at("ends_at", "结束", "To"),
            _number("wanted_count", "需要人数", "Wanted"), _number("claimed_count", "已认领", "Claimed"),
            _flag("is_published", "已发布", "Published"),
            Column("claimants", "认领人", "Claimed by", "text", 24, value=_names),
        ),
    ),
    "list_rounds": List(
        "排查轮次", "Rounds",
        (
            _text("division_name", "区划", "Division", 16), _text("division_code", "区划代码", "Division code", 15),
            _text("title", "名称", "Title", 24), _day("starts_on", "开始", "From"), _day("ends_on", "结束", "To"),
            _words("status", "状态", "Status", w.ROUND_STATUS), _words("rhythm", "频次", "Rhythm", w.RHYTHM),
            _words("target", "对象", "Whose doors", w.TARGET, 14), _words("tags", "标签", "Tags", w.TAG, 18),
            _number("question_count", "自定义问题", "Own questions", 11), _text("note", "备注", "Note", 24),
            _at("created_at", "发起时间", "Made at"),
        ),
    ),
    "list_round_households": List(
        "排查名单", "Households of a round",
        (
            *_COMMUNITY, _text("address", "地址", "Address", 26), _text("head_masked", "户主", "Head", 11),
            _number("resident_count", "人数", "People"),
        ),
    ),
    "list_risk_areas": List(
        "风险地区", "Risk areas",
        (
            _text("place_name", "地点", "Place", 18), _text("place_code", "地点代码", "Place code", 15),
            _day("from_on", "起", "From"), _day("to_on", "止", "To"),
            _number("stale_after_days", "几天后过期", "Stale after days", 11),
            _text("division_name", "区划", "Division", 16), _text("division_code", "区划代码", "Division code", 15),
            _text("created_by_name", "发起人", "By", 11), _at("created_at", "发起时间", "Made at"),
            _day("delete_by", "到期删除", "Deleted by"),
        ),
    ),
    "list_risk_area_counts": List(
        "风险地区分社区统计", "Risk area by community",
        (
            *_NAMED_COMMUNITY, _number("there", "到过", "Was there"), _number("not_there", "没到过", "Was not"),
            _number("stale", "过期", "Stale"), _number("unknown", "不清楚", "Unknown"),
            _number("to_ask", "要问的户", "To ask"),
        ),
    ),
    "list_risk_area_households": List(
        "风险地区住户", "Households and a risk area",
        (
            *_COMMUNITY, _text("address", "地址", "Address", 26), _text("head_masked", "户主", "Head", 11),
            _words("knowledge", "情况", "Known", w.KNOWLEDGE), _words("fact", "依据", "By", w.FACT, 14),
            _day("known_on", "日期", "Day"), _number("age_days", "距今天数", "Days ago"),
        ),
    ),
    "list_answer_counts": List(
        "问题回答统计", "Answers counted",
        (
            _text("name", "区划", "Division", 16), _text("code", "区划代码", "Division code", 15),
            _text("text", "问题", "Question", 36), _words("kind", "类型", "Kind", w.QUESTION_KIND),
            _words("per", "按户或按人", "Per", w.ASKED_OF, 10), _text("label", "回答", "Answer", 20),
            _number("count", "次数", "How many"), _number("sum", "合计", "Sum"), _text("least", "最小", "Least", 12),
            _text("most", "最大", "Most", 12),
        ),
    ),
    "list_round_templates": List(
        "排查模板", "Round templates",
        (
            _text("name", "模板", "Template", 24), _text("division_name", "由谁保存", "Kept by", 16),
            _text("title", "名称", "Title", 24), _number("question_count", "自定义问题", "Own questions", 11),
            _words("rhythm", "频次", "Rhythm", w.RHYTHM), _words("target", "对象", "Whose doors", w.TARGET, 14),
            _text("saved_by_name", "保存人", "Saved by", 11), _at("saved_at", "保存时间", "Saved at"),
        ),
    ),
    "list_door_visits": List(
        "上门记录", "Door visits",
        (
            *_HOME, _words("outcome", "结果", "Outcome", w.OUTCOME), *_RECORDED,
            Column("persons", "答复人数", "People answered for", "number", 10, value=_count_status(None)),
            Column("persons", "有症状人数", "With symptoms", "number", 11, value=_count_status("symptoms")),
            Column("persons", "最高体温(℃)", "Highest °C", "number", 12, value=_highest),
            _text("note", "备注", "Note", 24), _words("again_reason", "再问原因", "Asked again", w.AGAIN),
            _text("entered_by_name", "纸表录入人", "Typed from paper by", 12), *_JUDGED,
        ),
    ),
    "list_follow_ups": List(
        "随访", "Follow-ups",
        (
            _text("resident_name", "姓名", "Name", 11), *_HOME, _words("reasons", "发现", "Found", w.FINDING, 16),
            _number("temperature_c", "体温(℃)", "°C"), _words("symptoms", "症状", "Symptoms", w.SYMPTOM, 18),
            _at("found_at", "发现时间", "Found at"), _text("found_by", "发现人", "Found by", 11),
            _words("source", "来源", "Source", w.FOUND_BY, 10),
            _words("is_self_reported", "仅自报", "Self-reported only", w.YES_NO, 8),
            _number("finding_count", "报告次数", "Times reported"),
            _words("owner.kind", "谁办", "Owner", w.FOLLOW_UP_OWNER, 9),
            _text("owner.name", "承办人", "Owner's name", 13),
            _words("outcome", "结果", "Outcome", w.FOLLOW_UP_OUTCOME, 14), _text("note", "说明", "Note", 24),
            _at("closed_at", "办结时间", "Closed at"), _text("closed_by_name", "办结人", "Closed by", 11),
        ),
    ),
    "list_door_notices": List(
        "告知书", "Door notices",
        (
            *_HOME, _text("round_title", "排查轮次", "Round", 18), _number("attempts", "无人次数", "No answer"),
            _words("missed_parts", "敲过的时段", "Tried", w.DAY_PART, 14), _at("last_at", "最近上门", "Last at"),
            _at("due_at", "应贴时间", "Due since"), _at("printed_at", "打印时间", "Printed at"),
            _text("printed_by_name", "打印人", "Printed by", 11), _at("left_at", "张贴时间", "Left at"),
            _text("left_by_name", "张贴人", "Left by", 11), _text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "list_photos": List(
        "照片", "Photos",
        (
            _at("taken_at", "拍摄时间", "Taken at"), _at("received_at", "收到时间", "Received at"),
            _text("actor_name", "拍摄人", "By", 11), _number("byte_count", "字节数", "Bytes", 10),
            _number("width", "宽", "Width"), _number("height", "高", "Height"),
            _flag("is_deleted", "已到期删除", "Deleted"), _text("household_id", "住户编号", "Household", 37),
            _text("visit_id", "上门记录编号", "Visit", 37),
        ),
    ),
    "list_walk_sheets": List(
        "入户登记表", "Walk sheets",
        (
            _text("code", "表号", "Code", 12), _text("area_name", "责任区", "Area", 16),
            _text("round_title", "排查轮次", "Round", 18), _text("walker_name", "上门人", "Walker", 11),
            _at("printed_at", "打印时间", "Printed at"), _text("made_by_name", "打印人", "Printed by", 11),
            _number("door_count", "户数", "Doors"), _number("entered_count", "已录入", "Entered"),
        ),
    ),
    "list_self_reports": List(
        "住户自报", "Self-reports",
        (
            *_HOME, _at("reported_at", "自报时间", "Reported at"),
            Column("persons", "答复人数", "People answered for", "number", 10, value=_count_status(None)),
            Column("persons", "有症状人数", "With symptoms", "number", 11, value=_count_status("symptoms")),
            Column("persons", "最高体温(℃)", "Highest °C", "number", 12, value=_highest),
            _text("note", "备注", "Note", 24), _words("status", "状态", "Status", w.SELF_REPORT, 10),
            _words("is_waiting", "待核实", "Waits", w.YES_NO, 8), _at("settled_at", "处理时间", "Settled at"),
            _text("settled_by_name", "处理人", "Settled by", 11), _text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "list_care_visits": List(
        "走访记录", "Care visits",
        (
            *_HOME, _words("condition", "情况", "Found", w.CONDITION), _words("needs", "需求", "Needs", w.NEED, 18),
            _day("next_on", "下次日期", "Next on"), *_RECORDED, _text("note", "备注", "Note", 24), *_JUDGED,
        ),
    ),
    "list_flagged_edits": List(
        "待核对的登记更正", "Flagged edits of the registry",
        (
            *_HOME, _text("resident_name", "人员", "Person", 11), _words("command", "做了什么", "What", w.EDIT, 18),
            _words("fields", "涉及项目", "Facts", w.PERSON_FIELD, 20), *_RECORDED, *_JUDGED,
        ),
    ),
    "list_rules": List(
        "口径", "Rules",
        (
            _words("key", "口径", "Rule", w.RULE, 26), _number("value", "数值", "Figure"),
            _words("unit", "单位", "Unit", w.RULE_UNIT), _day("effective_on", "自何日起", "From"),
            _day("ended_on", "到何日止", "To"), _words("standing", "状态", "Standing", w.RULE_STANDING),
            _text("source", "依据文件", "Document", 40), _at("set_at", "登记时间", "Set at"),
            _text("set_by_name", "登记人", "Set by", 11),
        ),
    ),
    "list_care_households": List(
        "关爱名单", "Care list",
        (
            *_HOME, _text("phone_masked", "电话", "Phone", 14), _words("tags", "标签", "Tags", w.TAG, 20),
            _number("resident_count", "人数", "People", 7), _words("condition", "上次情况", "Last found", w.CONDITION),
            _words("needs", "需求", "Needs", w.NEED, 18), _at("last_at", "上次走访", "Last visit"),
            _text("last_by", "走访人", "By", 11), _day("next_on", "约定日期", "Promised for"),
            _day("due_on", "应去日期", "Due on"), _text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "get_coverage": List(
        "排查进度", "Coverage",
        (
            _text("code", "区划代码", "Code", 15), _text("name", "名称", "Name", 20),
            _words("level", "级别", "Level", w.LEVEL), _number("communities", "村居数", "Communities"),
            _number("communities_unknown", "没有登记的", "Without a registry"),
            _number("communities_done", "完成的村居", "Communities done"),
            _number("households", "户数", "Households"), _number("households_done", "完成户", "Households done"),
            _number("households_missing", "未完成户", "Households missing"), _number("persons", "人数", "People"),
            _number("persons_done", "已答复", "Answered for"), _number("persons_missing", "未答复", "People missing"),
            *(_number(f"outcomes.{code}", zh, en) for code, (zh, en) in w.OUTCOME.items()),
            _number("symptoms", "有症状", "With symptoms"), _number("dwellings", "门数", "Doors"),
            _number("dwellings_unassigned", "无责任区", "Without an area"),
            _number("expected.households", "应有户数", "Households expected"),
            _number("expected.persons", "应有人数", "People expected"),
            _text("expected.source", "应有数来源", "Source", 16), _day("expected.as_of", "截至", "As of"),
        ),
    ),
    "count_flags": List(
        "待核对记录数", "Records that wait",
        (
            _text("code", "区划代码", "Code", 15), _text("name", "名称", "Name", 20),
            _words("level", "级别", "Level", w.LEVEL), _number("door_visits", "上门记录", "Door visits"),
            _number("care_visits", "走访记录", "Care visits"), _number("follow_ups", "随访", "Follow-ups"),
            _number("door_notices", "待贴告知书", "Door notices due"),
            _number("self_reports", "待核实自报", "Self-reports"), _number("edits", "登记更正", "Edits"),
        ),
        name="export_flag_counts",
    ),
    "list_gaps": List(
        "未完成清单", "Gaps",
        (
            *_NAMED_COMMUNITY, _text("address", "地址", "Address", 26), _text("name", "姓名", "Name", 11),
            _words("reason", "原因", "Reason", w.REASON), _number("attempts", "无人次数", "No answer"),
            _at("last_at", "最近上门", "Last at"), _words("owner.kind", "谁负责", "Answers for it", w.OWNER, 10),
            _text("owner.name", "责任人", "Owner", 14),
        ),
    ),
    "list_door_standings": List(
        "逐户进度", "Doors in a round",
        (
            *_DOOR, _FLOOR, _flag("is_vacant", "空房", "Vacant"), _text("name", "户主", "Head", 11),
            _number("persons", "人数", "People"), _number("persons_done", "已答复", "Answered for"),
            _number("symptoms", "有症状", "With symptoms"), _words("outcome", "结果", "Outcome", w.OUTCOME),
            _number("attempts", "无人次数", "No answer"), _at("last_at", "最近上门", "Last at"),
            _text("last_by", "登记人", "By", 11), _text("owner.name", "责任人", "Owner", 14),
        ),
    ),
    "get_headcounts": List(
        "人数", "Headcounts",
        (
            _text("code", "区划代码", "Code", 15), _text("name", "名称", "Name", 20),
            _words("level", "级别", "Level", w.LEVEL), _number("households", "户数", "Households"),
            _number("residents", "人数", "Residents"), _number("screened", "已排查", "Screened"),
            _at("updated_at", "更新时间", "Updated at"),
        ),
    ),
    "list_imports": List(
        "导入记录", "Imports",
        (
            *_COMMUNITY, _text("file_name", "文件", "File", 30), _words("kind", "类别", "Kind", w.IMPORT_KIND),
            _words("status", "状态", "Status", w.IMPORT_STATUS, 14), _at("created_at", "上传时间", "Brought at"),
            _text("created_by_name", "上传人", "By", 11), _at("finished_at", "完成时间", "Done at"),
            _at("undone_at", "撤销时间", "Undone at"), _text("undone_by_name", "撤销人", "Undone by", 11),
            _number("counts.rows", "行数", "Rows"), _number("counts.created", "新增", "Created"),
            _number("counts.updated", "更新", "Updated"), _number("counts.unchanged", "未变", "Unchanged"),
            _number("counts.rejected", "未取", "Rejected"),
        ),
    ),
    "list_import_communities": List(
        "导入的村居", "Communities of an import",
        (
            *_NAMED_COMMUNITY, _words("status", "状态", "Status", w.IMPORT_PART),
            _number("counts.rows", "行数", "Rows"), _number("counts.created", "新增", "Created"),
            _number("counts.updated", "更新", "Updated"), _number("counts.unchanged", "未变", "Unchanged"),
            _number("counts.rejected", "未取", "Rejected"),
        ),
    ),
    "list_import_left": List(
        "撤销导入时保留的住户", "Left as they are by undoing an import",
        (
            *_NAMED_COMMUNITY, _text("address", "住址", "Address", 28), _text("head_name", "户主", "Head", 12),
            _words("reason", "为什么保留", "Why", w.TOUCH_REASON, 26), _at("touched_at", "何时", "When"),
            _text("touched_by_name", "谁", "Who", 12),
        ),
    ),
    "list_accounts": List(
        "账号", "Accounts",
        (
            _text("name", "姓名", "Name", 12), _text("login", "登录名", "Login", 18),
            _text("phone_masked", "手机号", "Phone", 14), _words("kind", "类别", "Kind", w.ACCOUNT_KIND, 8),
            Column("grants", "角色", "Roles", "text", 30, value=_grants), _flag("is_active", "可用", "Active"),
        ),
    ),
    "list_workers": List(
        "可负责住户的人员", "People for doors",
        (_text("name", "姓名", "Name", 12), Column("grants", "角色", "Roles", "text", 30, value=_grants)),
    ),
    "list_api_clients": List(
        "对接系统", "API clients",
        (
            _text("name", "系统", "System", 20), _text("login", "client_id", "client_id", 20),
            Column("grants", "角色", "Roles", "text", 30, value=_grants), _flag("is_active", "可用", "Active"),
        ),
    ),
    "list_devices": List(
        "设备", "Devices",
        (
            _text("account_name", "使用人", "Whose", 12), _text("name", "设备", "Device", 26),
            _at("created_at", "首次登录", "First sign-in"), _at("last_contact_at", "最近联系", "Last contact"),
            _at("oldest_unsent_at", "最早未上传", "Oldest unsent"), _text("app_version", "应用版本", "App version", 12),
            _flag("keeps_storage", "存储有保障", "Storage kept"),
            _number("clock_error_s", "时钟偏差（秒）", "Clock error (s)", 12),
            _at("revoked_at", "停用时间", "Revoked at"),
        ),
    ),
    "list_audit_entries": List(
        "操作记录", "Trail",
        (
            _number("seq", "序号", "No.", 8), *_COMMUNITY, _at("at", "时间", "At"),
            _text("actor_name", "操作人", "Who", 12), _text("action", "操作", "Action", 28),
            _number("subject_count", "涉及条数", "How many"), _text("request_id", "请求编号", "Request", 38),
        ),
    ),
    "list_reveals": List(
        "号码查看记录", "Reveals",
        (
            _at("at", "时间", "At"), _text("actor_name", "查看人", "Who", 12),
            _text("resident_name", "居民", "Whose", 11),
            _words("kind", "方式", "How", w.ACCESS_KIND, 14), _words("fields", "内容", "What", w.PERSON_FIELD, 16),
            _text("purpose", "用途", "Purpose", 36),
        ),
    ),
    "list_access_log": List(
        "查询记录", "Access log",
        (
            _at("at", "时间", "At"), _words("action", "操作", "What", w.ACCESS_KIND, 24),
            _text("actor_name", "谁", "Who", 12), _words("fields", "内容", "Fields", w.PERSON_FIELD, 16),
            _text("purpose", "用途", "Purpose", 36), _at("until", "至", "Until"),
        ),
    ),
    "list_deletions": List(
        "删除记录", "Deletions",
        (
            *_COMMUNITY, _words("kind", "内容", "What", w.DELETION_KIND, 18),
            _number("deleted_count", "条数", "How many"), _day("upto", "到期至", "Up to"),
            _number("days", "保存天数", "Days"), _day("effective_on", "规则起用", "Rule since"),
            _text("source", "依据", "Document", 40),
            _at("deleted_at", "删除时间", "Deleted at"),
        ),
    ),
    "list_retention": List(
        "保存期限", "Retention",
        (
            _words("kind", "内容", "What", w.DELETION_KIND, 18), _text("purpose", "用途", "Purpose", 40),
            _number("days", "保存天数", "Days"), _day("effective_on", "起用日期", "Since"),
            _text("source", "依据", "Document", 40),
        ),
        name="export_retention",
    ),
    "list_exports": List(
        "导出记录", "Exports",
        (
            _at("at", "时间", "At"), _text("actor_name", "导出人", "Who", 12), _text("title", "名单", "List", 18),
            _text("division_name", "区划", "Division", 16), _number("row_count", "行数", "Rows"),
            Column("filter", "筛选", "Filter", "text", 36, value=lambda f: "；".join(f"{k}={v}" for k, v in f.items())),
        ),
        name="export_export_records",
    ),
}  # fmt: skip

WITHOUT: dict[str, str] = {
    "list_destinations": "the communities a name may mean, to choose one from",
    "list_import_fields": "what a column of a roster may hold: a help text, not a list of the work",
    "list_own_devices": "one's own two or three devices, on a phone",
    "list_import_differences": "it has a workbook of its own, under the path where this one would stand",
    "get_import": "an import with its problems, which its error workbook holds in the sheet they are about",
}
"""Lists without a workbook, each with its reason."""
