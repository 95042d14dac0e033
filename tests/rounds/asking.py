"""Rounds with questions of their own, for tests: written, published, answered."""

from datetime import timedelta
from typing import Any

from app.core.clock import today
from tests.makers import BEGAN, Home, door_visit
from tests.personas import CITY, Caller

CAME = {
    "id": "back", "text": "近期返回过武汉？", "kind": "yes_no", "per": "person", "is_required": True,
    "definition": "1 月 10 日以后到过即为是", "owner": "区防控办", "place": {"name": "武汉", "code": "420100000000"},
}  # fmt: skip
WHEN = {
    "id": "back_on", "text": "哪天回来", "kind": "date", "per": "person", "is_required": True,
    "shown_when": {"question": "back", "values": [True]}, "definition": "到济日期", "owner": "区防控办",
}  # fmt: skip
HEATING = {
    "id": "heating", "text": "取暖方式", "kind": "choice", "per": "household",
    "options": [{"id": "central", "text": "集中供暖"}, {"id": "coal", "text": "燃煤"}],
    "definition": "主要的一种", "owner": "街道",
}  # fmt: skip
MASKS = {
    "id": "masks", "text": "缺多少口罩", "kind": "number", "least": 0, "most": 500, "unit": "只",
    "definition": "七天用量", "owner": "街道",
}  # fmt: skip
WISH = {"id": "wish", "text": "还需要什么", "kind": "text", "definition": "原话", "owner": "居委会"}
QUESTIONS = [CAME, WHEN, HEATING, MASKS, WISH]


def content(**extra: Any) -> dict[str, Any]:
    """A round of own questions, as a desk writes it."""
    starts_on = today().isoformat() if extra.get("rhythm") == "daily" else BEGAN
    days = {"starts_on": starts_on, "ends_on": (today() + timedelta(days=3)).isoformat()}
    return {"title": "返济人员排查", "questions": QUESTIONS, "standard": ["temperature"], **days, **extra}


async def open_round(call: Caller, who: str = "city", code: str = CITY, **extra: Any) -> str:
    """The id of a published round with own questions."""
    draft = await call(who, "POST", "/rounds", json=content(**extra) | {"division_code": code, "is_draft": True})
    assert draft.status_code == 201, draft.text
    round_id = str(draft.json()["id"])
    minutes = (await call(who, "GET", f"/rounds/{round_id}")).json()["estimate"]["minutes"]
    opened = await call(who, "POST", f"/rounds/{round_id}/publish", json={"minutes": minutes})
    assert opened.status_code == 200, opened.text
    return round_id


async def cost_of(call: Caller, who: str, code: str, asked: dict[str, Any]) -> int:
    """The minutes that somebody is shown for what a round would ask of all."""
    body = {"division_code": code, "standard": asked["standard"], "questions": asked["questions"]}
    minutes: int = (await call(who, "POST", "/rounds/estimate", json=body)).json()["minutes"]
    return minutes


def answered(
    home: Home, round_id: str, answers: list[dict[str, Any]], version: int = 1, **extra: Any
) -> dict[str, Any]:
    """A visit that answers questions."""
    command = door_visit(home, round_id, **extra)
    command["payload"] |= {"form_version": version, "answers": answers}
    return command
