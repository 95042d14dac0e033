"""Figures that change: who may set them, from which day on, and what then follows."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from tests.makers import door_visit, make_homes, make_round, push, stair_of
from tests.personas import A, Caller
from tests.test_tally import pioneer

FEVER = "finding.temperature_c"


def rule(value: float, days: int = 0, key: str = FEVER, source: str = "鲁卫〔2026〕3号") -> dict[str, Any]:
    """A figure that begins to hold in so many days."""
    on = (today() + timedelta(days=days)).isoformat()
    return {"key": key, "value": value, "effective_on": on, "source": source}


async def of_key(call: Caller, key: str = FEVER, who: str = "committee") -> list[dict[str, Any]]:
    """A rule's history as a desk reads it, what comes first."""
    items = (await call(who, "GET", "/rules")).json()["items"]
    return [one for one in items if one["key"] == key]


class TestSetRule:
    async def test_a_city_sets_what_holds_from_a_day_on(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        round_id = await make_round(call)
        assert (await call("city", "PUT", "/rules", json=rule(37.5))).json()["standing"] == "in_force"
        later = (await call("city", "PUT", "/rules", json=rule(37.0, 10))).json()
        assert (later["standing"], later["set_by_name"]) == ("coming", "city 某")
        held = [(one["value"], one["standing"], one["ended_on"]) for one in await of_key(call)]
        yesterday = (today() - timedelta(days=1)).isoformat()
        assert held == [
            (37.0, "coming", None),
            (37.5, "in_force", (today() + timedelta(days=9)).isoformat()),
            (37.3, "past", yesterday),
        ]
        # what is found follows it: 37.4 is no fever any more, 37.5 is
        for home, warm in zip(homes, (37.4, 37.5), strict=True):
            said = [{"resident_id": str(home.residents[0]), "status": "well", "temperature_c": warm}]
            await push(
                call, "committee",
                door_visit(home, round_id, "answered_part", persons=said, recorded_at=now().isoformat()),
            )  # fmt: skip
        found = (await call("committee", "GET", "/follow-ups", params={"community_code": A})).json()["items"]
        assert [one["household_id"] for one in found] == [str(homes[1].id)]
        async with database.session(EVERYWHERE) as session:
            rows = await session.execute(text("SELECT actor_name, subjects FROM audit_entry WHERE action = 'set_rule'"))
            assert [(row.actor_name, row.subjects) for row in rows] == [("city 某", [FEVER])] * 2

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (rule(37.5, -1), "rule_past"),
            (rule(45), "rule_value"),
            (rule(30.5, key="retention.care"), "rule_value"),
            (rule(0, key="retention.care"), "rule_value"),
            (rule(2, key="finding.contact"), "rule_value"),
            (rule(1, key="finding.luck"), "rule_unknown"),
            (rule(37.5, source=" "), "shape_invalid"),
        ],
    )
    async def test_refuses_what_cannot_be(self, call: Caller, body: dict[str, Any], code: str) -> None:
        answer = await call("city", "PUT", "/rules", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)

    async def test_others_read_and_do_not_set(self, call: Caller) -> None:
        for who, status in {"district": 403, "street": 403, "committee": 403, "worker": 403, None: 401}.items():
            assert (await call(who, "PUT", "/rules", json=rule(38))).status_code == status, who
        for who in ("city", "district", "street", "committee"):
            assert [one["value"] for one in await of_key(call, who=who)] == [37.3]
        assert (await call("worker", "GET", "/rules")).status_code == 403


class TestCommandLine:
    def test_a_figure_is_set_with_its_day_and_document(self, database_url: str) -> None:
        day = today() + timedelta(days=7)
        words = ("--from", day.isoformat(), "--document", "鲁卫〔2026〕3号")
        assert pioneer(database_url, "rules", "set", FEVER, "37.5", *words) == (0, f"{FEVER}: 37.5 from {day}\n")
        assert pioneer(database_url, "rules", "set", "retention.x", "9", *words)[0] == 2
        code, said = pioneer(database_url, "rules", "list")
        assert (code, f"{FEVER} 37.5 celsius from {day} (coming) 鲁卫〔2026〕3号" in said) == (0, True), said
