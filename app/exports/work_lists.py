"""Lists of the work: areas, posts, rounds, visits, what follows from them, figures."""

from collections.abc import Callable
from typing import Any

from app.exports import words as w
from app.exports.columns import (
    COMMUNITY,
    DOOR,
    FLOOR,
    HOME,
    JUDGED,
    NAMED_COMMUNITY,
    RECORDED,
    Column,
    List,
    at,
    coded,
    day,
    flag,
    number,
    text,
)


def _count_status(status: str | None) -> Callable[[Any], int]:
    return lambda persons: sum(status is None or p.get("status") == status for p in persons)


def _highest(persons: Any) -> float | None:
    known = [p["temperature_c"] for p in persons if p.get("temperature_c") is not None]
    return max(known, default=None)


def _names(people: Any) -> str:
    return "、".join(one.name for one in people)


WORK: dict[str, List] = {
    "list_responsibility_areas": List(
        "责任区", "Responsibility areas",
        (
            *NAMED_COMMUNITY, text("name", "责任区", "Area", 18), coded("places", "范围", "Where", {}, 28),
            number("dwelling_count", "门数", "Doors"), number("household_count", "户数", "Households"),
            text("holder.name", "责任人", "Holder", 12), at("assigned_at", "分配时间", "Assigned at"),
            flag("is_open", "开放认领", "Open"), text("note", "备注", "Note", 24),
        ),
    ),
    "list_posts": List(
        "先锋岗位", "Posts",
        (
            *NAMED_COMMUNITY, text("title", "岗位", "Post", 20), coded("kind", "类别", "Kind", w.POST_KIND),
            flag("is_demonstration", "示范岗", "Demonstration"), text("duty", "职责", "Duty", 24),
            text("place", "地点", "Place", 16), at("starts_at", "开始", "From"), at("ends_at", "结束", "To"),
            number("wanted_count", "需要人数", "Wanted"), number("claimed_count", "已认领", "Claimed"),
            flag("is_published", "已发布", "Published"),
            Column("claimants", "认领人", "Claimed by", "text", 24, value=_names),
        ),
    ),
    "list_rounds": List(
        "排查轮次", "Rounds",
        (
            text("division_name", "区划", "Division", 16), text("division_code", "区划代码", "Division code", 15),
            text("title", "名称", "Title", 24), day("starts_on", "开始", "From"), day("ends_on", "结束", "To"),
            coded("status", "状态", "Status", w.ROUND_STATUS), coded("rhythm", "频次", "Rhythm", w.RHYTHM),
            coded("target", "对象", "Whose doors", w.TARGET, 14), coded("tags", "标签", "Tags", w.TAG, 18),
            number("question_count", "自定义问题", "Own questions", 11), text("note", "备注", "Note", 24),
            at("created_at", "发起时间", "Made at"),
        ),
    ),
    "list_round_households": List(
        "排查名单", "Households of a round",
        (
            *COMMUNITY, text("address", "地址", "Address", 26), text("head_masked", "户主", "Head", 11),
            number("resident_count", "人数", "People"),
        ),
    ),
    "list_risk_areas": List(
        "风险地区", "Risk areas",
        (
            text("place_name", "地点", "Place", 18), text("place_code", "地点代码", "Place code", 15),
            day("from_on", "起", "From"), day("to_on", "止", "To"),
            number("stale_after_days", "几天后过期", "Stale after days", 11),
            text("division_name", "区划", "Division", 16), text("division_code", "区划代码", "Division code", 15),
            text("created_by_name", "发起人", "By", 11), at("created_at", "发起时间", "Made at"),
            day("delete_by", "到期删除", "Deleted by"),
        ),
    ),
    "list_risk_area_counts": List(
        "风险地区分社区统计", "Risk area by community",
        (
            *NAMED_COMMUNITY, number("there", "到过", "Was there"), number("not_there", "没到过", "Was not"),
            number("stale", "过期", "Stale"), number("unknown", "不清楚", "Unknown"),
            number("to_ask", "要问的户", "To ask"),
        ),
    ),
    "list_risk_area_households": List(
        "风险地区住户", "Households and a risk area",
        (
            *COMMUNITY, text("address", "地址", "Address", 26), text("head_masked", "户主", "Head", 11),
            coded("knowledge", "情况", "Known", w.KNOWLEDGE), coded("fact", "依据", "By", w.FACT, 14),
            day("known_on", "日期", "Day"), number("age_days", "距今天数", "Days ago"),
        ),
    ),
    "list_answer_counts": List(
        "问题回答统计", "Answers counted",
        (
            text("name", "区划", "Division", 16), text("code", "区划代码", "Division code", 15),
            text("text", "问题", "Question", 36), coded("kind", "类型", "Kind", w.QUESTION_KIND),
            coded("per", "按户或按人", "Per", w.ASKED_OF, 10), text("label", "回答", "Answer", 20),
            number("count", "次数", "How many"), number("sum", "合计", "Sum"), text("least", "最小", "Least", 12),
            text("most", "最大", "Most", 12),
        ),
    ),
    "list_round_templates": List(
        "排查模板", "Round templates",
        (
            text("name", "模板", "Template", 24), text("division_name", "由谁保存", "Kept by", 16),
            text("title", "名称", "Title", 24), number("question_count", "自定义问题", "Own questions", 11),
            coded("rhythm", "频次", "Rhythm", w.RHYTHM), coded("target", "对象", "Whose doors", w.TARGET, 14),
            text("saved_by_name", "保存人", "Saved by", 11), at("saved_at", "保存时间", "Saved at"),
        ),
    ),
    "list_door_visits": List(
        "上门记录", "Door visits",
        (
            *HOME, coded("outcome", "结果", "Outcome", w.OUTCOME), *RECORDED,
            Column("persons", "答复人数", "People answered for", "number", 10, value=_count_status(None)),
            Column("persons", "有症状人数", "With symptoms", "number", 11, value=_count_status("symptoms")),
            Column("persons", "最高体温(℃)", "Highest °C", "number", 12, value=_highest),
            text("note", "备注", "Note", 24), coded("again_reason", "再问原因", "Asked again", w.AGAIN),
            text("entered_by_name", "纸表录入人", "Typed from paper by", 12), *JUDGED,
        ),
    ),
    "list_follow_ups": List(
        "随访", "Follow-ups",
        (
            text("resident_name", "姓名", "Name", 11), *HOME, coded("reasons", "发现", "Found", w.FINDING, 16),
            number("temperature_c", "体温(℃)", "°C"), coded("symptoms", "症状", "Symptoms", w.SYMPTOM, 18),
            at("found_at", "发现时间", "Found at"), text("found_by", "发现人", "Found by", 11),
            coded("source", "来源", "Source", w.FOUND_BY, 10),
            coded("is_self_reported", "仅自报", "Self-reported only", w.YES_NO, 8),
            number("finding_count", "报告次数", "Times reported"),
            coded("owner.kind", "谁办", "Owner", w.FOLLOW_UP_OWNER, 9),
            text("owner.name", "承办人", "Owner's name", 13),
            coded("outcome", "结果", "Outcome", w.FOLLOW_UP_OUTCOME, 14), text("note", "说明", "Note", 24),
            at("closed_at", "办结时间", "Closed at"), text("closed_by_name", "办结人", "Closed by", 11),
        ),
    ),
    "list_door_notices": List(
        "告知书", "Door notices",
        (
            *HOME, text("round_title", "排查轮次", "Round", 18), number("attempts", "无人次数", "No answer"),
            coded("missed_parts", "敲过的时段", "Tried", w.DAY_PART, 14), at("last_at", "最近上门", "Last at"),
            at("due_at", "应贴时间", "Due since"), at("printed_at", "打印时间", "Printed at"),
            text("printed_by_name", "打印人", "Printed by", 11), at("left_at", "张贴时间", "Left at"),
            text("left_by_name", "张贴人", "Left by", 11), text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "list_photos": List(
        "照片", "Photos",
        (
            at("taken_at", "拍摄时间", "Taken at"), at("received_at", "收到时间", "Received at"),
            text("actor_name", "拍摄人", "By", 11), number("byte_count", "字节数", "Bytes", 10),
            number("width", "宽", "Width"), number("height", "高", "Height"),
            flag("is_deleted", "已到期删除", "Deleted"), text("household_id", "住户编号", "Household", 37),
            text("visit_id", "上门记录编号", "Visit", 37),
        ),
    ),
    "list_walk_sheets": List(
        "入户登记表", "Walk sheets",
        (
            text("code", "表号", "Code", 12), text("area_name", "责任区", "Area", 16),
            text("round_title", "排查轮次", "Round", 18), text("walker_name", "上门人", "Walker", 11),
            at("printed_at", "打印时间", "Printed at"), text("made_by_name", "打印人", "Printed by", 11),
            number("door_count", "户数", "Doors"), number("entered_count", "已录入", "Entered"),
        ),
    ),
    "list_self_reports": List(
        "住户自报", "Self-reports",
        (
            *HOME, at("reported_at", "自报时间", "Reported at"),
            Column("persons", "答复人数", "People answered for", "number", 10, value=_count_status(None)),
            Column("persons", "有症状人数", "With symptoms", "number", 11, value=_count_status("symptoms")),
            Column("persons", "最高体温(℃)", "Highest °C", "number", 12, value=_highest),
            text("note", "备注", "Note", 24), coded("status", "状态", "Status", w.SELF_REPORT, 10),
            coded("is_waiting", "待核实", "Waits", w.YES_NO, 8), at("settled_at", "处理时间", "Settled at"),
            text("settled_by_name", "处理人", "Settled by", 11), text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "list_care_visits": List(
        "走访记录", "Care visits",
        (
            *HOME, coded("condition", "情况", "Found", w.CONDITION), coded("needs", "需求", "Needs", w.NEED, 18),
            day("next_on", "下次日期", "Next on"), *RECORDED, text("note", "备注", "Note", 24), *JUDGED,
        ),
    ),
    "list_flagged_edits": List(
        "待核对的登记更正", "Flagged edits of the registry",
        (
            *HOME, text("resident_name", "人员", "Person", 11), coded("command", "做了什么", "What", w.EDIT, 18),
            coded("fields", "涉及项目", "Facts", w.PERSON_FIELD, 20), *RECORDED, *JUDGED,
        ),
    ),
    "list_care_households": List(
        "关爱名单", "Care list",
        (
            *HOME, text("phone_masked", "电话", "Phone", 14), coded("tags", "标签", "Tags", w.TAG, 20),
            number("resident_count", "人数", "People", 7), coded("condition", "上次情况", "Last found", w.CONDITION),
            coded("needs", "需求", "Needs", w.NEED, 18), at("last_at", "上次走访", "Last visit"),
            text("last_by", "走访人", "By", 11), day("next_on", "约定日期", "Promised for"),
            day("due_on", "应去日期", "Due on"), text("holder_name", "责任人", "Holder", 11),
        ),
    ),
    "get_coverage": List(
        "排查进度", "Coverage",
        (
            text("code", "区划代码", "Code", 15), text("name", "名称", "Name", 20),
            coded("level", "级别", "Level", w.LEVEL), number("communities", "村居数", "Communities"),
            number("communities_unknown", "没有登记的", "Without a registry"),
            number("communities_done", "完成的村居", "Communities done"),
            number("households", "户数", "Households"), number("households_done", "完成户", "Households done"),
            number("households_missing", "未完成户", "Households missing"), number("persons", "人数", "People"),
            number("persons_done", "已答复", "Answered for"), number("persons_missing", "未答复", "People missing"),
            *(number(f"outcomes.{code}", zh, en) for code, (zh, en) in w.OUTCOME.items()),
            number("symptoms", "有症状", "With symptoms"), number("dwellings", "门数", "Doors"),
            number("dwellings_unassigned", "无责任区", "Without an area"),
            number("expected.households", "应有户数", "Households expected"),
            number("expected.persons", "应有人数", "People expected"),
            text("expected.source", "应有数来源", "Source", 16), day("expected.as_of", "截至", "As of"),
        ),
    ),
    "count_flags": List(
        "待核对记录数", "Records that wait",
        (
            text("code", "区划代码", "Code", 15), text("name", "名称", "Name", 20),
            coded("level", "级别", "Level", w.LEVEL), number("door_visits", "上门记录", "Door visits"),
            number("care_visits", "走访记录", "Care visits"), number("follow_ups", "随访", "Follow-ups"),
            number("door_notices", "待贴告知书", "Door notices due"),
            number("self_reports", "待核实自报", "Self-reports"), number("edits", "登记更正", "Edits"),
        ),
        name="export_flag_counts",
    ),
    "list_gaps": List(
        "未完成清单", "Gaps",
        (
            *NAMED_COMMUNITY, text("address", "地址", "Address", 26), text("name", "姓名", "Name", 11),
            coded("reason", "原因", "Reason", w.REASON), number("attempts", "无人次数", "No answer"),
            at("last_at", "最近上门", "Last at"), coded("owner.kind", "谁负责", "Answers for it", w.OWNER, 10),
            text("owner.name", "责任人", "Owner", 14),
        ),
    ),
    "list_door_standings": List(
        "逐户进度", "Doors in a round",
        (
            *DOOR, FLOOR, flag("is_vacant", "空房", "Vacant"), text("name", "户主", "Head", 11),
            number("persons", "人数", "People"), number("persons_done", "已答复", "Answered for"),
            number("symptoms", "有症状", "With symptoms"), coded("outcome", "结果", "Outcome", w.OUTCOME),
            number("attempts", "无人次数", "No answer"), at("last_at", "最近上门", "Last at"),
            text("last_by", "登记人", "By", 11), text("owner.name", "责任人", "Owner", 14),
        ),
    ),
    "get_headcounts": List(
        "人数", "Headcounts",
        (
            text("code", "区划代码", "Code", 15), text("name", "名称", "Name", 20),
            coded("level", "级别", "Level", w.LEVEL), number("households", "户数", "Households"),
            number("residents", "人数", "Residents"), number("screened", "已排查", "Screened"),
            at("updated_at", "更新时间", "Updated at"),
        ),
    ),
}  # fmt: skip
