"""Lists of the registry: doors, households and people, where they live and lived, divisions."""

from collections.abc import Callable
from typing import Any

from app.exports import words as w
from app.exports.columns import (
    COMMUNITY,
    DOOR,
    FLOOR,
    HOME,
    NAMED_COMMUNITY,
    PERSON,
    PLACE,
    Column,
    List,
    at,
    coded,
    day,
    flag,
    number,
    text,
)


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


_STAYS = (
    text("name", "姓名", "Name", 11), *NAMED_COMMUNITY, text("address", "地址", "Address", 26),
    coded("kind", "类别", "Kind", w.RESIDENCE_KIND), coded("relation", "与户主关系", "Relation", w.RELATION, 11),
    day("started_on", "起", "From"), coded("reason_in", "为何来", "Came by", w.CAME),
    text("from_place", "从哪里来", "From where", 18),
    text("from_community_name", "从哪个村居来", "From community", 16),
    day("ended_on", "止", "To"), coded("reason_out", "为何离开", "Went by", w.WENT),
    text("to_place", "去哪里", "Where to", 18), text("to_community_name", "去哪个村居", "To community", 16),
    coded("transfer_status", "转出情况", "Transfer", w.TRANSFER_STATUS), text("by_name", "登记人", "By", 11),
)  # fmt: skip


REGISTRY: dict[str, List] = {
    "list_household_residences": List("历任成员", "Who has lived here", _STAYS),
    "list_resident_residences": List("住过的地方", "Where a person has lived", _STAYS),
    "list_separated": List("人户分离", "Registered and living apart", _STAYS, name="export_separated"),
    "get_timeline": List(
        "住户时间线", "Timeline of a household",
        (
            day("on", "日期", "On"), coded("event", "事项", "What", w.EVENT, 16),
            Column("persons", "涉及的人", "Who", "text", 24, value=_people), text("place", "地点", "Place", 18),
            text("community_name", "村居", "Community", 16), text("by_name", "登记人", "By", 11),
            at("at", "登记时间", "Recorded at"),
        ),
        name="export_timeline",
    ),
    "list_tenures": List(
        "住房关系", "Tenures",
        (
            coded("kind", "住房关系", "Tenure", w.TENURE), day("started_on", "起", "From"),
            day("ended_on", "止", "To"), text("landlord_name", "房东", "Landlord", 11),
            text("landlord_phone_masked", "房东电话", "Landlord's phone", 14),
            text("recorded_by_name", "登记人", "By", 11),
        ),
    ),
    "list_transfers": List(
        "转入转出", "Transfers",
        (
            text("name", "姓名", "Name", 11), coded("sex", "性别", "Sex", w.SEX, 7),
            number("birth_year", "出生年份", "Birth year"), text("id_masked", "证件号码", "ID number", 21),
            text("from_community_name", "从哪个村居来", "From", 16), text("community_name", "去哪个村居", "To", 16),
            day("left_on", "离开日期", "Left on"), text("place", "地点", "Place", 18),
            coded("is_registration_kept", "户口留在原处", "Stays registered there", w.YES_NO),
            coded("status", "情况", "Status", w.TRANSFER_STATUS), text("reason", "说明", "Why", 24),
            at("sent_at", "转出时间", "Sent at"), text("sent_by_name", "转出人", "Sent by", 11),
            at("decided_at", "处理时间", "Decided at"), text("decided_by_name", "处理人", "Decided by", 11),
        ),
    ),
    "list_duplicates": List(
        "重复登记", "Registered twice",
        (
            *COMMUNITY, coded("kind", "类别", "Kind", w.DUPLICATE_KIND),
            coded("status", "情况", "Status", w.DUPLICATE_STATUS),
            Column("sides", "登记一", "One entry", "text", 34, value=_side(0)),
            Column("sides", "登记二", "The other entry", "text", 34, value=_side(1)),
            text("elsewhere.community_name", "另一村居", "Other community", 16),
            coded("answer", "本处答复", "Answer here", w.ANSWER, 16),
            coded("elsewhere.answer", "对方答复", "Their answer", w.ANSWER, 16), text("reason", "说明", "Why", 24),
            at("found_at", "发现时间", "Found at"), at("decided_at", "处理时间", "Decided at"),
            text("decided_by_name", "处理人", "Decided by", 11),
        ),
    ),
    "list_roster": List(
        "登记花名册", "Registry roster",
        (
            *COMMUNITY, *PLACE, FLOOR, text("room", "室号", "Room", 9),
            text("address", "其他地址", "Other address", 18), flag("is_vacant", "空房", "Vacant"),
            text("head_name", "户主", "Head", 11), *PERSON, text("workplace", "工作单位", "Workplace", 18),
            coded("tags", "标签", "Tags", w.TAG, 18),
            text("household_phone_masked", "家庭电话", "Household phone", 14),
            flag("needs_id_check", "证件待核", "ID to check"),
        ),
    ),
    "list_households": List(
        "住户", "Households",
        (
            *DOOR, FLOOR, text("head_name", "户主", "Head", 11), number("resident_count", "人数", "People", 7),
            coded("kind", "户别", "Kind", w.HOUSEHOLD_KIND, 9), text("phone_masked", "电话", "Phone", 14),
            coded("tags", "标签", "Tags", w.TAG, 20), text("note", "备注", "Note", 24),
        ),
    ),
    "list_residents": List(
        "家庭成员", "Members of a household",
        (*PERSON, coded("tags", "标签", "Tags", w.TAG, 18), flag("needs_id_check", "证件待核", "ID to check")),
        name="export_household_members",
    ),
    "search_residents": List(
        "查找居民", "People found",
        (
            *COMMUNITY, *DOOR, text("head_name", "户主", "Head", 11), *PERSON,
            coded("tags", "标签", "Tags", w.TAG, 18), coded("matched", "按什么找到", "Found by", w.MATCHED, 12),
        ),
        name="export_residents_found",
    ),
    "list_buildings": List(
        "楼栋", "Buildings",
        (
            text("compound", "小区", "Compound", 16), text("building", "楼栋", "Building", 10),
            coded("stairs", "单元", "Stairs", {}, 14),
            number("dwelling_count", "门数", "Doors"), number("household_count", "户数", "Households"),
            number("resident_count", "人数", "People"), number("vacant_count", "空房", "Vacant"),
            number("unassigned_count", "无责任区", "Without an area"),
        ),
    ),
    "list_doors": List(
        "房屋", "Doors",
        (
            *DOOR, FLOOR, flag("is_vacant", "空房", "Vacant"), number("household_count", "户数", "Households"),
            number("resident_count", "人数", "People"),
        ),
    ),
    "list_lapsing": List(
        "待确认的标签和备注", "Tags and notes to confirm",
        (
            *COMMUNITY, *HOME, coded("tags", "标签", "Tags", w.TAG, 20),
            day("tags_until", "标签保留到", "Tags until"), text("note", "备注", "Note", 24),
            day("note_until", "备注保留到", "Note until"),
        ),
    ),
    "list_conflicts": List(
        "待定的更正", "Corrections to decide",
        (
            *COMMUNITY, *HOME, text("resident_name", "居民", "Person", 11),
            coded("subject", "对象", "Of", w.SUBJECT, 8), coded("field", "项目", "Fact", w.PERSON_FIELD),
            coded("server.value", "现有内容", "Stands", w.EDITED, 18),
            text("server.actor_name", "现有内容由谁", "By", 11),
            at("server.at", "现有内容时间", "At"), coded("phone.value", "手机上的内容", "On the phone", w.EDITED, 18),
            text("phone.actor_name", "手机上由谁", "By", 11), at("phone.at", "手机上的时间", "At"),
            at("filed_at", "提出时间", "Filed at"),
        ),
    ),
    "list_divisions": List(
        "区划", "Divisions",
        (
            text("code", "区划代码", "Code", 15), text("name", "名称", "Name", 22),
            coded("level", "级别", "Level", w.LEVEL), text("parent_code", "上级代码", "Code above", 15),
            number("child_count", "下辖", "Below"),
        ),
    ),
    "list_division_changes": List(
        "区划代码变更", "Changes of codes",
        (
            day("effective_on", "生效日期", "From"), coded("kind", "变更", "What", w.CHANGE_KIND),
            coded("level", "级别", "Level", w.LEVEL), text("old_code", "原代码", "Old code", 15),
            text("old_name", "原名称", "Old name", 22), text("new_code", "新代码", "New code", 15),
            text("new_name", "新名称", "New name", 22), text("source", "依据", "List", 24),
            at("adopted_at", "办理时间", "Adopted at"),
        ),
    ),
}  # fmt: skip
