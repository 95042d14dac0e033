"""Lists of the desk's own affairs: imports, accounts, devices, rules, who saw and took away what."""

from typing import Any

from app.exports import words as w
from app.exports.columns import (
    COMMUNITY,
    NAMED_COMMUNITY,
    Column,
    List,
    at,
    coded,
    day,
    flag,
    number,
    text,
)


def _grants(grants: Any) -> str:
    return "、".join(f"{g.name or g.division_code} {w.ROLE.get(g.role, (g.role,))[0]}" for g in grants)


OFFICE: dict[str, List] = {
    "list_imports": List(
        "导入记录", "Imports",
        (
            *COMMUNITY, text("file_name", "文件", "File", 30), coded("kind", "类别", "Kind", w.IMPORT_KIND),
            coded("status", "状态", "Status", w.IMPORT_STATUS, 14), at("created_at", "上传时间", "Brought at"),
            text("created_by_name", "上传人", "By", 11), at("finished_at", "完成时间", "Done at"),
            at("undone_at", "撤销时间", "Undone at"), text("undone_by_name", "撤销人", "Undone by", 11),
            number("counts.rows", "行数", "Rows"), number("counts.created", "新增", "Created"),
            number("counts.updated", "更新", "Updated"), number("counts.unchanged", "未变", "Unchanged"),
            number("counts.rejected", "未取", "Rejected"),
        ),
    ),
    "list_import_communities": List(
        "导入的村居", "Communities of an import",
        (
            *NAMED_COMMUNITY, coded("status", "状态", "Status", w.IMPORT_PART),
            number("counts.rows", "行数", "Rows"), number("counts.created", "新增", "Created"),
            number("counts.updated", "更新", "Updated"), number("counts.unchanged", "未变", "Unchanged"),
            number("counts.rejected", "未取", "Rejected"),
        ),
    ),
    "list_import_left": List(
        "撤销导入时保留的住户", "Left as they are by undoing an import",
        (
            *NAMED_COMMUNITY, text("address", "住址", "Address", 28), text("head_name", "户主", "Head", 12),
            coded("reason", "为什么保留", "Why", w.TOUCH_REASON, 26), at("touched_at", "何时", "When"),
            text("touched_by_name", "谁", "Who", 12),
        ),
    ),
    "list_accounts": List(
        "账号", "Accounts",
        (
            text("name", "姓名", "Name", 12), text("login", "登录名", "Login", 18),
            text("phone_masked", "手机号", "Phone", 14), coded("kind", "类别", "Kind", w.ACCOUNT_KIND, 8),
            Column("grants", "角色", "Roles", "text", 30, value=_grants), flag("is_active", "可用", "Active"),
        ),
    ),
    "list_workers": List(
        "可负责住户的人员", "People for doors",
        (text("name", "姓名", "Name", 12), Column("grants", "角色", "Roles", "text", 30, value=_grants)),
    ),
    "list_api_clients": List(
        "对接系统", "API clients",
        (
            text("name", "系统", "System", 20), text("login", "client_id", "client_id", 20),
            Column("grants", "角色", "Roles", "text", 30, value=_grants), flag("is_active", "可用", "Active"),
        ),
    ),
    "list_devices": List(
        "设备", "Devices",
        (
            text("account_name", "使用人", "Whose", 12), text("name", "设备", "Device", 26),
            at("created_at", "首次登录", "First sign-in"), at("last_contact_at", "最近联系", "Last contact"),
            at("oldest_unsent_at", "最早未上传", "Oldest unsent"), text("app_version", "应用版本", "App version", 12),
            flag("keeps_storage", "存储有保障", "Storage kept"),
            number("clock_error_s", "时钟偏差（秒）", "Clock error (s)", 12),
            at("revoked_at", "停用时间", "Revoked at"),
        ),
    ),
    "list_audit_entries": List(
        "操作记录", "Trail",
        (
            number("seq", "序号", "No.", 8), *COMMUNITY, at("at", "时间", "At"),
            text("actor_name", "操作人", "Who", 12), text("action", "操作", "Action", 28),
            number("subject_count", "涉及条数", "How many"), text("request_id", "请求编号", "Request", 38),
        ),
    ),
    "list_reveals": List(
        "号码查看记录", "Reveals",
        (
            at("at", "时间", "At"), text("actor_name", "查看人", "Who", 12),
            text("resident_name", "居民", "Whose", 11),
            coded("kind", "方式", "How", w.ACCESS_KIND, 14), coded("fields", "内容", "What", w.PERSON_FIELD, 16),
            text("purpose", "用途", "Purpose", 36),
        ),
    ),
    "list_access_log": List(
        "查询记录", "Access log",
        (
            at("at", "时间", "At"), coded("action", "操作", "What", w.ACCESS_KIND, 24),
            text("actor_name", "谁", "Who", 12), coded("fields", "内容", "Fields", w.PERSON_FIELD, 16),
            text("purpose", "用途", "Purpose", 36), at("until", "至", "Until"),
        ),
    ),
    "list_rules": List(
        "口径", "Rules",
        (
            coded("key", "口径", "Rule", w.RULE, 26), number("value", "数值", "Figure"),
            coded("unit", "单位", "Unit", w.RULE_UNIT), day("effective_on", "自何日起", "From"),
            day("ended_on", "到何日止", "To"), coded("standing", "状态", "Standing", w.RULE_STANDING),
            text("source", "依据文件", "Document", 40), at("set_at", "登记时间", "Set at"),
            text("set_by_name", "登记人", "Set by", 11),
        ),
    ),
    "list_deletions": List(
        "删除记录", "Deletions",
        (
            *COMMUNITY, coded("kind", "内容", "What", w.DELETION_KIND, 18),
            number("deleted_count", "条数", "How many"), day("upto", "到期至", "Up to"),
            number("days", "保存天数", "Days"), day("effective_on", "规则起用", "Rule since"),
            text("source", "依据", "Document", 40),
            at("deleted_at", "删除时间", "Deleted at"),
        ),
    ),
    "list_retention": List(
        "保存期限", "Retention",
        (
            coded("kind", "内容", "What", w.DELETION_KIND, 18), text("purpose", "用途", "Purpose", 40),
            number("days", "保存天数", "Days"), day("effective_on", "起用日期", "Since"),
            text("source", "依据", "Document", 40),
        ),
        name="export_retention",
    ),
    "list_exports": List(
        "导出记录", "Exports",
        (
            at("at", "时间", "At"), text("actor_name", "导出人", "Who", 12), text("title", "名单", "List", 18),
            text("division_name", "区划", "Division", 16), number("row_count", "行数", "Rows"),
            Column("filter", "筛选", "Filter", "text", 36, value=lambda f: "；".join(f"{k}={v}" for k, v in f.items())),
        ),
        name="export_export_records",
    ),
}  # fmt: skip
