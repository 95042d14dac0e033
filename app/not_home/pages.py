"""The pages behind a household's QR: plain HTML without a script, so that any phone's browser and WeChat show them.

What is asked for is the same whatever code is scanned: nobody learns from a page whether a code exists. They hold no
registry data; after the challenge people stand there by number and surname.
"""

import unicodedata
from collections.abc import Sequence
from html import escape
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.datastructures import FormData

from app.not_home import self_reports
from app.not_home.self_reports import AlreadyReported, TicketSpent, TooManyAttempts, WrongChallenge
from app.screening.models import Symptom
from app.screening.schemas import PersonAnswer
from app.web import open_database

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_STYLE = """
*{box-sizing:border-box}body{margin:0;font:17px/1.6 system-ui,sans-serif;color:#1a1a1a;background:#f4f4f5}
header{padding:14px 16px;color:#fff;background:#c8102e;font-size:19px;font-weight:600}
main{max-width:34rem;margin:0 auto;padding:16px}section,fieldset{margin:0 0 14px;padding:14px 16px;border:0;
border-radius:10px;background:#fff}legend{float:left;width:100%;margin-bottom:4px;font-weight:600}legend+*{clear:both}
label{display:block;margin-top:10px}small{display:block;color:#5a5a5f;font-size:14px;line-height:1.4}
input[type=text],textarea{width:100%;min-height:48px;padding:8px 12px;border:1px solid #8a8a90;border-radius:8px;
font:inherit;background:#fff}.chips{display:flex;flex-wrap:wrap;gap:8px;margin-top:8px}
.chips label{display:flex;align-items:center;gap:6px;min-height:44px;margin:0;padding:4px 12px;border:1px solid #8a8a90;
border-radius:22px}.chips small{display:inline}
input[type=radio],input[type=checkbox]{flex:none;width:20px;height:20px;accent-color:#c8102e}
.sent{border-left:4px solid #116329}.wrong input[type=text]{border-color:#c8102e}
/* where a browser knows no :has all of it is shown */
fieldset:not(:has([value=symptoms]:checked)) .signs{display:none}
button{width:100%;min-height:52px;border:0;border-radius:10px;color:#fff;background:#c8102e;font:inherit;
font-weight:600}.wrong{border-left:4px solid #c8102e}
@media(prefers-color-scheme:dark){body{color:#eee;background:#111}section,fieldset{background:#1d1d1f}
small{color:#b0b0b6}input[type=text],textarea{color:#eee;background:#111}}
"""
_SYMPTOMS = {
    Symptom.FEVER: ("发热", "fever"), Symptom.COUGH: ("咳嗽", "cough"), Symptom.FATIGUE: ("乏力", "fatigue"),
    Symptom.BREATHLESS: ("气短", "short of breath"), Symptom.SORE_THROAT: ("咽痛", "sore throat"),
    Symptom.DIARRHEA: ("腹泻", "diarrhoea"), Symptom.OTHER: ("其他", "other"),
}  # fmt: skip
_STATUSES = (("well", "正常", "well"), ("symptoms", "有症状", "symptoms"), ("away", "不在家", "away"))


def _page(body: str, status: int = 200) -> Response:
    html = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1"><meta name="referrer" content="same-origin">'
        f"<title>住户自报</title><style>{_STYLE}</style></head><body><header>住户自报 Household report</header>"
        f"<main>{body}</main></body></html>"
    )
    return HTMLResponse(html, status, headers=_HEADERS)


def _said(zh: str, en: str, *, wrong: bool = True) -> str:
    return f'<section class="{"wrong" if wrong else "sent"}" role="status">{zh}<small lang="en">{en}</small></section>'


_ABOUT = (
    "<section>先确认您是这一户的人。填写的内容只给本社区，由网格员核实后才算数；健康信息按期删除。"
    '<small lang="en">First show that you live here. What you report goes to this community alone, counts only when '
    "a worker has confirmed it, and is deleted on its day.</small></section>"
)


def _ask(room: str = "", surname: str = "") -> str:
    """The challenge, with what was typed before it did not fit."""
    return (
        f'{_ABOUT}<form method="post"><section><label>房号 <small lang="en">Room number</small>'
        '<input type="text" name="room" required maxlength="60" autocomplete="off" placeholder="101" '
        f'value="{escape(room)}"></label>'
        '<label>户主的姓 <small lang="en">Surname of the head of the household</small>'
        '<input type="text" name="surname" required maxlength="20" autocomplete="off" placeholder="王" '
        f'value="{escape(surname)}"></label></section><button>下一步 Next</button></form>'
    )


@router.post("/h/report", name="report_by_code")
async def report_by_code(request: Request) -> Response:
    """Take the answers, once for each challenge."""
    form = await request.form(max_files=0, max_fields=600)
    raw = _field(form, "ticket", 8000)
    spent = _page(
        _said(
            "填写的时间太久，或二维码已经更换，这次没有收到。请重新扫码填写。",
            "This took too long, or the code has been replaced: nothing was taken. Please scan the code again.",
        ),
        409,
    )
    try:
        ticket = self_reports.open_ticket(raw)
    except TicketSpent:
        return spent
    persons, wrong = _answers(form, ticket.persons)
    if wrong:
        which = "、".join(str(at + 1) for at in wrong)
        zh = f"第 {which} 位的体温看不懂：应在 34.0 到 43.0 之间，没量过就空着。其他内容都还在。"
        en = f"The temperature of no. {which} lies not between 34.0 and 43.0; leave it empty if none was taken."
        names = [f"{one[:1]}**" for one in _field(form, "names", 400).split("\n")][: len(ticket.persons)]
        return _page(_questions(raw, names, form, wrong, _said(zh, en)), 422)
    note = _field(form, "note", 300)
    try:
        await self_reports.take_self_report(open_database(request), ticket, persons, note, _address(request))
    except TicketSpent:
        return spent
    except AlreadyReported:
        zh, en = "这次填写已经收到过，不用再交。", "This has been received already; there is nothing more to do."
        return _page(_said(zh, en, wrong=False), 409)
    except TooManyAttempts:
        return _too_many()
    zh = "已收到，谢谢！网格员核实后才算完成；有发热或症状的，社区会尽快联系您。"
    en = "Received, thank you. A worker will confirm it; for fever or symptoms the committee will be in touch soon."
    return _page(_said(zh, en, wrong=False))


@router.get("/h/{token}")
async def open_household_code(token: str) -> Response:
    """The challenge: the same page for every code, known or not."""
    del token
    return _page(_ask())


@router.post("/h/{token}")
async def pass_code_challenge(request: Request, token: str) -> Response:
    """Room and surname, then the questions; what was wrong is not said."""
    form = await request.form(max_files=0, max_fields=10)
    room, surname = (_field(form, name, 60) for name in ("room", "surname"))
    try:
        challenge = await self_reports.pass_challenge(open_database(request), token, room, surname, _address(request))
    except TooManyAttempts:
        return _too_many()
    except WrongChallenge:
        zh = "对不上，或二维码已停用。请核对房号和户主的姓，或联系社区。"
        en = "That does not fit, or this code is no longer in use. Check both, or ask your residents’ committee."
        return _page(_said(zh, en) + _ask(room, surname), 403)
    return _page(_questions(challenge.ticket, challenge.persons))


def _answers(form: FormData, residents: Sequence[UUID]) -> tuple[list[PersonAnswer], list[int]]:
    """What was said of each, and the places of those of whom something cannot be read."""
    persons: list[PersonAnswer] = []
    wrong: list[int] = []
    for at, resident in enumerate(residents):
        given = {
            "resident_id": resident,
            "status": _field(form, f"status_{at}", 20),
            "symptoms": [str(one) for one in form.getlist(f"symptoms_{at}")],
            "risk_area": True if form.get(f"risk_{at}") else None,
        }
        try:
            taken = _temperature(_field(form, f"temperature_{at}", 10))
            persons.append(PersonAnswer.model_validate({**given, "temperature_c": taken}))
        except (ValidationError, ValueError):
            wrong.append(at)
    return persons, wrong


def _questions(
    ticket: str, persons: Sequence[str], form: FormData | None = None, wrong: Sequence[int] = (), problem: str = ""
) -> str:
    """The questions of each person; with a `form`, as it was filled in."""
    given = form if form is not None else FormData()
    parts = []
    for at, name in enumerate(persons):
        status = _field(given, f"status_{at}", 20) or "well"
        ticked = {str(one) for one in given.getlist(f"symptoms_{at}")}
        chips = "".join(
            f'<label><input type="radio" name="status_{at}" value="{value}"{" checked" if value == status else ""}>'
            f'{zh} <small lang="en">{en}</small></label>'
            for value, zh, en in _STATUSES
        )
        signs = "".join(
            f'<label><input type="checkbox" name="symptoms_{at}" value="{one.value}"'
            f'{" checked" if one.value in ticked else ""}>{zh} <small lang="en">{en}</small></label>'
            for one, (zh, en) in _SYMPTOMS.items()
        )
        parts.append(
            f"<fieldset{' class=wrong' if at in wrong else ''}><legend>第 {at + 1} 位 {escape(name)}</legend>"
            f'<div class="chips">{chips}</div>'
            f'<label>体温 ℃（量过就填）<small lang="en">Temperature, if taken</small>'
            f'<input type="text" inputmode="decimal" name="temperature_{at}" maxlength="6" placeholder="36.5" '
            f'value="{escape(_field(given, f"temperature_{at}", 10))}"></label>'
            f'<div class="signs"><label>症状 <small lang="en">Symptoms</small></label><div class="chips">{signs}</div>'
            f'</div><div class="chips"><label><input type="checkbox" name="risk_{at}" value="1"'
            f"{' checked' if given.get(f'risk_{at}') else ''}><span>来自或到过重点疫区，或接触过那里的人"
            '<small lang="en"> From or in a risk area, or met somebody from there</small></span></label></div>'
            "</fieldset>"
        )
    if not persons:
        zh, en = "这一户没有登记成员，请联系社区。", "Nobody is registered here; please ask your residents’ committee."
        return _said(zh, en)
    names = escape("\n".join(persons))
    return (
        f'{problem}<form method="post" action="/h/report"><input type="hidden" name="ticket" value="{escape(ticket)}">'
        f'<input type="hidden" name="names" value="{names}">{"".join(parts)}'
        '<section><label>还想说的（选填）<small lang="en">Anything else</small>'
        f'<textarea name="note" rows="2" maxlength="300">{escape(_field(given, "note", 300))}</textarea></label>'
        "</section><button>提交 Send</button></form>"
    )


def _too_many() -> Response:
    zh, en = (
        "尝试次数过多，请一小时后再试，或联系社区。",
        "Too many attempts; try again in an hour, or ask the committee.",
    )
    return _page(_said(zh, en), 429)


def _field(form: FormData, name: str, most: int) -> str:
    value = form.get(name)
    return value.strip().replace("\x00", "")[:most] if isinstance(value, str) else ""


def _temperature(typed: str) -> float | None:
    """36.8, 36。8, ３６．８ or 368; raises ValueError for what is no number."""
    plain = unicodedata.normalize("NFKC", typed).replace("。", ".").replace(",", ".").replace("℃", "").strip()
    if not plain:
        return None
    number = float(plain) if plain.replace(".", "", 1).isdigit() else float("nan")
    if number != number:
        raise ValueError(typed)
    return round(number / 10 if number > 100 else number, 1)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
