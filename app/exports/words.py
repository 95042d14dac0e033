"""The words of a workbook for what the wire says by code, Chinese and English."""

from collections.abc import Mapping

from app.people.naming import RELATIONS

Words = Mapping[str, tuple[str, str]]

YES_NO: Words = {"True": ("是", "yes"), "False": ("否", "no")}
LEVEL: Words = {
    "city": ("市", "city"),
    "district": ("区县", "district"),
    "town": ("镇街", "town"),
    "community": ("社区（村）", "community"),
    "building": ("楼栋", "building"),
}
SEX: Words = {"0": ("未知", "unknown"), "1": ("男", "male"), "2": ("女", "female"), "9": ("未说明", "not stated")}
RELATION: Words = {chinese: (chinese, english) for chinese, english in RELATIONS.items()}
"""What is not among these stands in a workbook as somebody wrote it."""
ID_KIND: Words = {
    "resident_id": ("居民身份证", "resident identity card"),
    "hk_macau_permit": ("港澳居民来往内地通行证", "Hong Kong or Macau travel permit"),
    "taiwan_permit": ("台湾居民来往大陆通行证", "Taiwan travel permit"),
    "passport": ("护照", "passport"),
    "foreigner_permit": ("外国人永久居留证", "foreigner's permanent residence card"),
    "other": ("其他证件", "another document"),
    "none": ("没有登记", "none registered"),
}
HOUSEHOLD_KIND: Words = {"family": ("家庭户", "family"), "collective": ("集体户", "collective")}
TAG: Words = {
    "living_alone_elder": ("独居老人", "elder living alone"),
    "household_in_hardship": ("困难家庭", "in hardship"),
    "tenant": ("租户", "tenant"),
    "chronic_illness": ("慢性病", "chronic illness"),
    "disabled": ("残疾", "disabled"),
    "pregnant": ("孕妇", "pregnant"),
    "infant": ("婴幼儿", "infant"),
    "collective_household": ("集体户", "collective household"),
}
EDITED: Words = {**TAG, **RELATION}
"""What two people edited alike and a workbook has words for."""
MATCHED: Words = {
    "id_number": ("证件号码", "ID number"),
    "phone": ("电话", "phone"),
    "name": ("姓名", "name"),
    "initials": ("拼音首字母", "initials"),
    "pinyin": ("拼音", "pinyin"),
    "address": ("地址", "address"),
    "tag": ("标签", "tag"),
}
OUTCOME: Words = {
    "answered_all": ("全家已答复", "all answered"),
    "answered_part": ("部分已答复", "part answered"),
    "no_answer": ("无人应答", "no answer"),
    "refused": ("拒访", "refused"),
    "vacant": ("空房", "vacant"),
    "wrong_address": ("地址有误", "wrong address"),
    "unsafe": ("不安全", "unsafe"),
}
REASON: Words = {
    **OUTCOME,
    "no_registry": ("没有登记", "no registry"),
    "not_started": ("未开始", "not started"),
    "unfinished": ("未完成", "unfinished"),
    "not_visited": ("未敲门", "not visited"),
    "person_unanswered": ("本人未答复", "not answered for"),
}
OWNER: Words = {"holder": ("责任人", "holder"), "committee": ("居委会", "committee")}
FLAG: Words = {
    "epoch_old": ("登记时这片住户已转给别人", "the area had been given to somebody else"),
    "not_assigned": ("不在登记人的责任区", "not in the area of who recorded it"),
    "clock_skew": ("手机时间不准", "the phone's clock was wrong"),
    "round_closed": ("登记时本轮已结束", "the round was closed already"),
    "round_not_begun": ("登记时本轮还没开始", "the round had not begun yet"),
    "asked_again": ("当天已问过，没有说明原因", "asked that day already, without a reason"),
    "answer_missing": ("有必答问题没有回答", "a question that must be answered was not"),
    "answer_unexpected": ("回答了没有问的问题", "a question was answered that was not asked"),
    "answer_value": ("有的回答不合题目", "an answer does not fit its question"),
    "form_unknown": ("不认识这个版本的问题", "nobody knows this version of the questions"),
    "person_known": ("已有同名的人", "somebody of that name was there already"),
    "household_undone": ("此户已随撤销的导入移出，因记录恢复", "the household came with an import that was undone"),
    "household_closed": ("登记时此户已注销", "the household had been closed before"),
    "resident_gone": ("登记时此人已不住这里", "they had left before"),
    "person_moved": ("此人已搬到别户", "they had moved to another household"),
}
EDIT: Words = {
    "people.add_household": ("新增住户", "household added"),
    "people.add_resident": ("新增人员", "person added"),
    "people.mark_resident_gone": ("登记离开", "marked as gone"),
    "people.update_household": ("修改住户信息", "household changed"),
    "people.update_resident": ("修改人员信息", "person changed"),
    "screening.confirm_self_report": ("确认住户自报", "self-report confirmed"),
    "screening.leave_door_notice": ("登记已贴告知书", "door notice left"),
}
AGAIN: Words = {
    "changed": ("情况有变", "something changed"),
    "correction": ("更正上次", "to correct the last"),
    "completing": ("补问家人", "to ask the others"),
    "ordered": ("上级要求", "ordered to"),
    "requested": ("住户要求", "they asked for it"),
    "self_report": ("确认住户自报", "confirms a self-report"),
}
DAY_PART: Words = {"0": ("上午", "morning"), "1": ("下午", "afternoon"), "2": ("晚上", "evening")}
SELF_REPORT: Words = {
    "waiting": ("待核实", "waiting"),
    "confirmed": ("已核实", "confirmed"),
    "replaced": ("有更新的自报", "replaced by a newer one"),
    "set_aside": ("不采用", "set aside"),
}
FINDING: Words = {
    "temperature": ("体温", "temperature"),
    "symptoms": ("有症状", "symptoms"),
    "contact": ("接触史", "contact"),
}
SYMPTOM: Words = {
    "fever": ("发热", "fever"),
    "cough": ("咳嗽", "cough"),
    "fatigue": ("乏力", "fatigue"),
    "breathless": ("气短", "breathless"),
    "sore_throat": ("咽痛", "sore throat"),
    "diarrhea": ("腹泻", "diarrhoea"),
    "other": ("其他", "other"),
}
FOUND_BY: Words = {"door": ("上门", "at the door"), "self_report": ("住户自报", "self-report")}
FOLLOW_UP_OWNER: Words = {"committee": ("居委会", "committee"), "person": ("个人", "person")}
FOLLOW_UP_OUTCOME: Words = {
    "taken_to_clinic": ("已送发热门诊", "taken to a fever clinic"),
    "observed_at_home": ("居家观察", "observed at home"),
    "ruled_out": ("已排除", "ruled out"),
    "handed_over": ("已移交", "handed over"),
    "recorded_by_mistake": ("误记", "recorded by mistake"),
}
VERDICT: Words = {"confirmed": ("属实", "confirmed"), "set_aside": ("不予计入", "set aside")}
CONDITION: Words = {
    "well": ("很好", "well"),
    "needs_attention": ("需要关注", "needs attention"),
    "not_reached": ("没见到", "not reached"),
}
NEED: Words = {
    "food": ("食品", "food"),
    "medicine": ("药品", "medicine"),
    "medical_visit": ("看病", "medical visit"),
    "supplies": ("防护用品", "supplies"),
    "repair": ("维修", "repair"),
    "company": ("陪伴", "company"),
    "money": ("经济", "money"),
    "other": ("其他", "other"),
}
ROUND_STATUS: Words = {"draft": ("草稿", "draft"), "open": ("进行中", "open"), "closed": ("已结束", "closed")}
RHYTHM: Words = {"once": ("一次", "once"), "daily": ("每日", "daily")}
TARGET: Words = {
    "all": ("全部住户", "all households"),
    "tags": ("有标签的住户", "those with a tag"),
    "list": ("名单", "a list"),
}
KNOWLEDGE: Words = {
    "there": ("到过", "was there"),
    "not_there": ("没到过", "was not"),
    "stale": ("过期", "stale"),
    "unknown": ("不清楚", "unknown"),
}
FACT: Words = {
    "answer": ("上门回答", "answer at a door"),
    "move": ("迁居", "move"),
    "registration": ("户口在那里", "registered there"),
    "lives_there": ("住在那里", "lives there"),
}
ASKED_OF: Words = {"household": ("户", "household"), "person": ("人", "person")}
QUESTION_KIND: Words = {
    "yes_no": ("是非", "yes or no"),
    "choice": ("选择", "choice"),
    "number": ("数字", "number"),
    "date": ("日期", "date"),
    "text": ("文字", "text"),
}
POST_KIND: Words = {
    "checkpoint": ("卡点值守", "checkpoint"),
    "screening": ("入户排查", "screening"),
    "monitoring": ("健康监测", "monitoring"),
    "care": ("关爱帮扶", "care"),
    "publicity": ("宣传引导", "publicity"),
    "disinfection": ("环境消杀", "disinfection"),
    "supplies": ("物资保障", "supplies"),
    "watch": ("巡逻值班", "watch"),
    "other": ("其他", "other"),
}
IMPORT_KIND: Words = {"roster": ("居民花名册", "household roster"), "divisions": ("区划名单", "division list")}
IMPORT_STATUS: Words = {
    "queued": ("等待中", "waiting"),
    "running": ("进行中", "running"),
    "previewed": ("已预览，未导入", "previewed, not imported"),
    "done": ("已导入", "imported"),
    "failed": ("没有读成", "could not be read"),
}
CHANGE_KIND: Words = {
    "new": ("新设", "new"),
    "renamed": ("更名", "renamed"),
    "moved": ("代码变更", "moved"),
    "merged": ("合并", "merged"),
    "split": ("分设", "split"),
    "ended": ("撤销", "ended"),
}
IMPORT_PART: Words = {"staged": ("待写入", "to be written"), "done": ("已写入", "written")}
TOUCH_REASON: Words = {
    "visit": ("入户排查", "visited"),
    "care_visit": ("走访", "care visit"),
    "follow_up": ("随访", "follow-up"),
    "self_report": ("住户自报", "reported by the household"),
    "notice": ("告知书或户码", "door notice or code"),
    "photo": ("照片", "photo"),
    "move": ("搬迁或户口", "moved or registered"),
    "review": ("重复核对", "reviewed as a duplicate"),
    "reveal": ("查看或打印过号码", "numbers read or printed"),
    "round": ("列入排查名单", "on a round's list"),
    "walk_sheet": ("在打印的入户登记表上", "on a printed walk sheet"),
    "area": ("门已划入责任区或改动", "door put into an area or changed"),
    "edit": ("登记改动", "edited"),
    "household": ("又登记了住户", "a household was registered"),
}
ROLE: Words = {
    "city": ("市级", "city"),
    "district": ("区县", "district"),
    "street": ("镇街", "street"),
    "committee": ("居委会", "committee"),
    "grid_worker": ("网格员", "grid worker"),
    "party_member": ("党员", "party member"),
    "viewer": ("查看", "viewer"),
    "api_client": ("系统对接", "API client"),
}
ACCOUNT_KIND: Words = {"person": ("个人", "person"), "client": ("系统", "system")}
ACCESS_KIND: Words = {
    "reveal": ("查看完整号码", "full number read"),
    "copy": ("打印本人资料", "copy printed"),
    "correction": ("更正（附原因）", "corrected, with a reason"),
    "carried": ("责任区下载在其手机上", "carried on their phone"),
}
PERSON_FIELD: Words = {
    "id_number": ("证件号码", "ID number"),
    "phone": ("电话", "phone"),
    "name": ("姓名", "name"),
    "sex": ("性别", "sex"),
    "birth_on": ("出生日期", "birth date"),
    "relation": ("与户主关系", "relation"),
    "tags": ("标签", "tags"),
    "note": ("备注", "note"),
    "copy": ("全部资料", "everything"),
}
RULE: Words = {
    "finding.temperature_c": ("发热体温", "fever from"),
    "finding.symptoms": ("有症状即随访", "symptoms are followed up"),
    "finding.contact": ("到过疫区即随访", "contacts are followed up"),
    "not_home.misses": ("几次无人后留告知书", "misses before a notice"),
    "not_home.day_parts": ("须在几个时段去过", "parts of the day tried before a notice"),
    "retention.screening": ("排查健康信息保存", "health learnt in screening is kept"),
    "retention.care": ("走访记录保存", "care notes are kept"),
    "retention.photos": ("照片保存", "photos are kept"),
    "retention.edits": ("已核对的更正保存", "judged edits are kept"),
    "retention.merges": ("合并可以撤销的期限", "a merge can be undone for"),
    "retention.tags": ("住户标签有效期", "tags hold for"),
    "retention.notes": ("住户备注有效期", "notes hold for"),
    "retention.departed": ("离开的人的号码保存", "numbers of who has left are kept"),
}
RULE_UNIT: Words = {
    "days": ("天", "days"),
    "celsius": ("℃", "°C"),
    "switch": ("1 是 0 否", "1 yes, 0 no"),
    "times": ("次", "times"),
    "parts_of_day": ("个时段", "parts of the day"),
}
RULE_STANDING: Words = {
    "past": ("已过去", "past"),
    "in_force": ("现行", "in force"),
    "coming": ("将施行", "coming"),
}
SUBJECT: Words = {"household": ("住户", "household"), "resident": ("居民", "person")}
DELETION_KIND: Words = {
    "door_visits": ("上门记录的内容", "what visits said"),
    "answers": ("自定义问题的回答", "answers to own questions"),
    "person_checks": ("个人健康信息", "people's health"),
    "care_visits": ("走访记录的内容", "what care visits noted"),
    "findings": ("随访的健康信息", "what was found for follow-ups"),
    "self_reports": ("住户自报", "what households reported"),
    "photos": ("照片", "photos"),
    "edit_conflicts": ("已处理冲突的两个值", "both values of decided conflicts"),
    "merges": ("合并前的内容", "what stood before merges"),
    "tags": ("到期的标签", "tags nobody has confirmed"),
    "notes": ("到期的住户备注", "notes nobody has confirmed"),
    "departed": ("离开的人的号码和备注", "numbers and notes of who has left"),
    "flagged_edits": ("已核对的登记更正", "judged edits of the registry"),
    "follow_up_notes": ("随访办结说明", "notes of closed follow-ups"),
}
RESIDENCE_KIND: Words = {
    "lives_here": ("居住", "lives here"),
    "registered_here": ("户口在此", "registered here"),
    "registered_elsewhere": ("户口在外", "registered elsewhere"),
}
CAME: Words = {
    "moved_in": ("迁入", "moved in"),
    "born": ("出生", "born"),
    "returned": ("返回", "returned"),
    "found": ("上门发现", "found at the door"),
    "split": ("分户", "household split"),
    "merged": ("并户", "households merged"),
}
WENT: Words = {
    "moved": ("搬到别户", "moved to another household"),
    "moved_away": ("搬走", "moved away"),
    "died": ("去世", "died"),
    "not_living_here": ("不住这里", "does not live here"),
    "split": ("分户", "household split"),
    "merged": ("并户", "households merged"),
}
TRANSFER_STATUS: Words = {
    "waiting": ("待接收", "waiting"),
    "accepted": ("已接收", "accepted"),
    "declined": ("未接收", "declined"),
    "withdrawn": ("已撤回", "withdrawn"),
}
TENURE: Words = {
    "owner": ("自有", "owner"),
    "tenant": ("租住", "tenant"),
    "guest": ("借住", "guest"),
    "employer": ("单位房", "employer's"),
}
EVENT: Words = {
    **{code: CAME[code] for code in ("moved_in", "born", "returned", "found")},
    **{code: WENT[code] for code in ("moved", "moved_away", "died", "not_living_here")},
    "split_in": ("分户迁入", "came by a split"),
    "merged_in": ("并户迁入", "came by a merge"),
    "split_out": ("分户迁出", "left by a split"),
    "merged_out": ("并户迁出", "left by a merge"),
    "registered": ("户口登记", "registered"),
    "deregistered": ("户口迁出", "no longer registered"),
    "tenure": ("住房关系", "tenure"),
    "door_visit": ("上门", "door visit"),
    "care_visit": ("走访", "care visit"),
}
DUPLICATE_KIND: Words = {
    "person": ("同一人", "one person"),
    "household": ("同一户", "one household"),
    "elsewhere": ("两地登记", "also elsewhere"),
}
DUPLICATE_STATUS: Words = {
    "open": ("待核对", "open"),
    "answered": ("已答复", "answered"),
    "dismissed": ("不是同一个", "not the same"),
    "merged": ("已合并", "merged"),
    "settled": ("两地已说明", "settled"),
}
ANSWER: Words = {
    "lives_here": ("住在这里", "lives here"),
    "registered_only": ("户口在此，人不住这里", "registered only"),
    "moved_away": ("已搬走", "moved away"),
    "not_same": ("不是同一人", "not the same"),
}
