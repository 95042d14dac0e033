"""A day on paper: the sheet in walking order and masked, its rows entered once, under the name of who walked."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import now
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.people.models import Household
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import A, Caller
from tests.rounds.asking import CAME, HEATING, WHEN, content, cost_of, open_round

TODAY = (now() - timedelta(minutes=10)).isoformat()


class Paper:
    """A stair of four doors held by `worker`, and its round."""

    def __init__(self, call: Caller, homes: list[Home], area: dict[str, Any], round_id: str) -> None:
        self.call, self.homes, self.area, self.round_id = call, homes, area, round_id

    async def printed(self, who: str = "committee", **more: Any) -> dict[str, Any]:
        body = {"responsibility_area_id": self.area["id"], "round_id": self.round_id} | more
        answer = await self.call(who, "POST", "/walk-sheets", json=body)
        assert answer.status_code == 201, answer.text
        sheet: dict[str, Any] = answer.json()
        return sheet

    def row(self, at: int, outcome: str = "answered_all", **more: Any) -> dict[str, Any]:
        home = self.homes[at]
        persons = [{"resident_id": str(r), "status": "well"} for r in home.residents] if "answered" in outcome else []
        row = {"id": str(new_id()), "household_id": str(home.id), "outcome": outcome, "persons": persons}
        return row | {"recorded_at": TODAY} | more

    async def enter(self, sheet: dict[str, Any], *rows: dict[str, Any], who: str = "committee") -> list[Any]:
        answer = await self.call(who, "POST", f"/walk-sheets/{sheet['id']}/entries", json={"entries": list(rows)})
        assert answer.status_code == 200, answer.text
        return [(one["status"], one["code"]) for one in answer.json()["results"]]

    async def visits(self) -> list[dict[str, Any]]:
        params = {"community_code": A, "round": self.round_id}
        items: list[dict[str, Any]] = (await self.call("committee", "GET", "/door-visits", params=params)).json()[
            "items"
        ]
        return items


@pytest.fixture
async def paper(call: Caller, database: Database) -> Paper:
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201", "202"]))
    area = await make_area(call, homes, "worker")
    return Paper(call, homes, area, await make_round(call, A, "committee"))


class TestPrint:
    async def test_due_doors_first_then_up_the_stair_and_nothing_that_a_lost_sheet_should_not_tell(
        self, call: Caller, database: Database, paper: Paper
    ) -> None:
        async with database.session(EVERYWHERE) as session:
            home = await session.get(Household, (A, paper.homes[1].id))
            assert home is not None
            home.tags = ["pregnant", "tenant", "household_in_hardship"]
        await push(
            call, "worker",
            door_visit(paper.homes[0], paper.round_id, "refused", recorded_at=TODAY),
            door_visit(paper.homes[2], paper.round_id, "answered_all", recorded_at=TODAY),
        )  # fmt: skip
        sheet = await paper.printed()
        assert [row["room"] for row in sheet["rows"]] == ["102", "202", "101"]  # 201 is done, 101 waits for a decision
        assert [row["number"] for row in sheet["rows"]] == [1, 2, 3]
        assert sheet["rows"][0]["tags"] == ["tenant"]
        assert all(row["head_masked"].endswith("*") for row in sheet["rows"])
        names = [r["name"] for h in paper.homes for r in await residents(call, h)]
        assert not [name for name in names if name in str(sheet)]
        assert (sheet["walker_name"], len(sheet["code"])) == ("worker 某", 8)
        assert sheet["url"].endswith(f"/sheets/{sheet['id']}")
        assert "<svg" in sheet["qr_svg"]
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert trail[0]["action"] == "print_walk_sheet"

    async def test_a_phone_hands_in_the_sheet_it_printed_by_itself_once(self, call: Caller, paper: Paper) -> None:
        own = {
            "id": str(new_id()), "household_ids": [str(paper.homes[at].id) for at in (3, 1)],
            "printed_at": TODAY,
        }  # fmt: skip
        first = await paper.printed("worker", **own)
        again = await paper.printed("worker", **own)
        assert [row["room"] for row in first["rows"]] == ["202", "102"]
        assert (again["id"], again["code"]) == (own["id"], first["code"])
        params = {"community_code": A, "code": first["code"].lower()}
        found = (await call("committee", "GET", "/walk-sheets", params=params)).json()["items"]
        assert [(one["id"], one["door_count"], one["entered_count"]) for one in found] == [(own["id"], 2, 0)]

    async def test_for_the_desk_and_who_holds_the_area_only(self, call: Caller, paper: Paper) -> None:
        sheet = await paper.printed()
        body = {"responsibility_area_id": paper.area["id"], "round_id": paper.round_id}
        for who, status in ((None, 401), ("worker2", 404), ("far_committee", 404), ("viewer", 403), ("client", 403)):
            assert (await call(who, "POST", "/walk-sheets", json=body)).status_code == status, who
            expected = 404 if status == 404 else status
            assert (await call(who, "GET", f"/walk-sheets/{sheet['id']}")).status_code == expected, who
        assert (await call("worker", "GET", f"/walk-sheets/{sheet['id']}")).status_code == 200
        assert (await call("worker2", "GET", "/walk-sheets", params={"community_code": A})).json()["items"] == []


class TestEnter:
    async def test_rows_become_the_walkers_records_once_marked_with_who_typed_them(
        self, call: Caller, paper: Paper
    ) -> None:
        sheet = await paper.printed()
        hot = [{"resident_id": str(paper.homes[1].residents[0]), "status": "symptoms", "temperature_c": 38.2}]
        rows = [paper.row(0), paper.row(1, "answered_part", persons=hot, note="咳嗽"), paper.row(2, "no_answer")]
        assert await paper.enter(sheet, *rows) == [("accepted", None)] * 3
        assert await paper.enter(sheet, *rows) == [("duplicate", None)] * 3
        visits = await paper.visits()
        assert sorted(v["outcome"] for v in visits) == ["answered_all", "answered_part", "no_answer"]
        assert {(v["actor_name"], v["entered_by_name"], v["is_flagged"]) for v in visits} == {
            ("worker 某", "committee 某", False)
        }
        assert {v["recorded_at"][:16] for v in visits} == {visits[0]["recorded_at"][:16]}
        status = (await call("worker", "GET", "/sync/status")).json()
        assert status["confirmed_today"] == 3
        (follow_up,) = (await call("committee", "GET", "/follow-ups", params={"community_code": A})).json()["items"]
        assert follow_up["temperature_c"] == 38.2
        again = (await call("worker", "GET", f"/walk-sheets/{sheet['id']}")).json()
        assert [row["entry"] and row["entry"]["outcome"] for row in again["rows"]] == [
            "answered_all", "answered_part", "no_answer", None,
        ]  # fmt: skip
        assert again["entered_count"] == 3

    async def test_a_door_asked_on_that_day_needs_a_reason(self, call: Caller, paper: Paper) -> None:
        sheet = await paper.printed()
        await push(call, "worker", door_visit(paper.homes[0], paper.round_id, recorded_at=TODAY))
        row = paper.row(0)
        assert await paper.enter(sheet, row) == [("not_taken", "asked_again")]
        assert await paper.enter(sheet, row | {"again_reason": "correction"}) == [("accepted", None)]
        yesterday = (now() - timedelta(days=1)).isoformat()
        assert await paper.enter(sheet, paper.row(0, recorded_at=yesterday)) == [("accepted", None)]

    async def test_what_cannot_be_is_not_taken_and_holds_nothing_up(self, call: Caller, paper: Paper) -> None:
        sheet = await paper.printed("worker", id=str(new_id()), household_ids=[str(paper.homes[0].id)])
        tomorrow = (now() + timedelta(days=1)).isoformat()
        rows = [paper.row(1), paper.row(0, recorded_at=tomorrow), paper.row(0)]
        assert await paper.enter(sheet, *rows) == [
            ("not_taken", "not_on_sheet"), ("not_taken", "date_in_future"), ("accepted", None),
        ]  # fmt: skip

    async def test_a_sheet_of_before_a_handover_is_credited_to_who_walked(self, call: Caller, paper: Paper) -> None:
        sheet = await paper.printed()
        recorded = now().isoformat()
        to = {"account_id": str(call.personas["worker2"].id)}
        assert (await call("committee", "POST", f"/responsibility-areas/{paper.area['id']}/assign", json=to)).is_success
        assert await paper.enter(sheet, paper.row(0, recorded_at=recorded), who="worker") == [("accepted", None)]
        late = paper.row(1, recorded_at=now().isoformat())
        assert await paper.enter(sheet, late) == [("flagged", "epoch_old")]
        assert {v["actor_name"] for v in await paper.visits()} == {"worker 某"}

    async def test_nobody_else_enters_it(self, call: Caller, paper: Paper) -> None:
        sheet = await paper.printed()
        body = {"entries": [paper.row(0)]}
        for who, status in ((None, 401), ("worker2", 404), ("far_committee", 404), ("viewer", 403)):
            answer = await call(who, "POST", f"/walk-sheets/{sheet['id']}/entries", json=body)
            assert answer.status_code == status, who
        assert await paper.visits() == []


class TestQuestions:
    """A round's own questions, in the version that stands on the paper."""

    async def test_answers_are_to_the_version_on_the_paper_and_judged_as_a_phones(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
        round_id = await open_round(call, "committee", A, questions=[CAME, WHEN, HEATING])
        paper = Paper(call, homes, await make_area(call, homes, "worker"), round_id)
        sheet = await paper.printed()
        assert (sheet["form"]["version"], sheet["form"]["standard"]) == (1, ["temperature"])
        assert [one["id"] for one in sheet["form"]["questions"]] == ["back", "back_on", "heating"]
        correction = content(questions=[CAME, HEATING], reason="不再问日期")
        correction["minutes"] = await cost_of(call, "committee", A, correction)
        assert (await call("committee", "PUT", f"/rounds/{round_id}", json=correction)).is_success
        again = (await call("worker", "GET", f"/walk-sheets/{sheet['id']}")).json()
        assert again["form"] == sheet["form"]

        who = str(homes[0].residents[0])
        said = [
            {"question": "back", "resident_id": who, "value": True},
            {"question": "back_on", "resident_id": who, "value": "2026-01-20"},
            {"question": "heating", "value": "coal"},
        ]
        nobody = paper.row(1, "no_answer", answers=said[2:])
        # only one of those who live there was answered for
        first = paper.row(0, answers=said) | {"persons": [{"resident_id": who, "status": "well"}]}
        rows = [first, nobody, paper.row(2)]
        assert await paper.enter(sheet, *rows) == [
            ("accepted", None), ("accepted", None), ("flagged", "answer_missing"),
        ]  # fmt: skip
        visits = {v["id"]: v for v in await paper.visits()}
        answers = visits[first["id"]]["answers"]
        assert [(one["question"], one["value"], one["fault"]) for one in answers] == [
            ("back", True, None), ("back_on", "2026-01-20", None), ("heating", "coal", None),
        ]  # fmt: skip
        assert (visits[first["id"]]["actor_name"], visits[nobody["id"]]["answers"]) == ("worker 某", [])
        fresh = await paper.printed()
        assert (fresh["form"]["version"], len(fresh["form"]["questions"])) == (2, 2)

    async def test_a_phone_says_which_version_it_printed_and_an_old_one_printed_none(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await open_round(call, "committee", A, questions=[HEATING])
        paper = Paper(call, homes, await make_area(call, homes, "worker"), round_id)
        own: dict[str, Any] = {"household_ids": [str(homes[0].id)], "printed_at": TODAY}
        told = await paper.printed("worker", **own, id=str(new_id()), form_version=1)
        old = await paper.printed("worker", **own, id=str(new_id()))
        assert (told["form"]["version"], old["form"]) == (1, None)
        assert await paper.enter(old, paper.row(0)) == [("accepted", None)]

    async def test_a_sheet_of_a_list_has_the_doors_on_the_list(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        chosen = {"target": "list", "household_ids": [str(homes[1].id)]}
        round_id = await open_round(call, "committee", A, questions=[HEATING], **chosen)
        paper = Paper(call, homes, await make_area(call, homes, "worker"), round_id)
        assert [row["room"] for row in (await paper.printed())["rows"]] == ["102"]


async def residents(call: Caller, home: Home) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await call("committee", "GET", f"/households/{home.id}/residents")).json()["items"]
    return items
