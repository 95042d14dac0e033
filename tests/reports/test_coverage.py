"""Coverage says how many, gaps say which, and the two add up."""

from typing import Any

import pytest

from app.core.db import Database
from app.people.registry import DwellingInput
from app.reports import coverage
from app.reports.schemas import CoverageRead
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, DISTRICT, FAR_DISTRICT, FAR_STREET, STREET, A, B, C, Caller

ROOMS = ["101", "102", "201", "202", "301"]
FEVER = {"status": "symptoms", "temperature_c": 38.1, "symptoms": ["fever"]}


async def coverage_of(call: Caller, area: str, who: str = "city", **params: Any) -> dict[str, Any]:
    """A coverage answer, held against its declared shape."""
    answer = await call(who, "GET", "/coverage", params={"area": area} | params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    CoverageRead.model_validate(body)
    return body


async def gaps_of(call: Caller, area: str, kind: str, who: str = "city", **params: Any) -> list[dict[str, Any]]:
    """All gaps, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {"area": area, "kind": kind} | params | ({"cursor": cursor} if cursor else {})
        answer = await call(who, "GET", "/coverage/gaps", params=given)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


async def worked_street(call: Caller, database: Database) -> tuple[list[Home], list[Home], str]:
    """A: five doors held by a worker, each with another outcome, and a vacant one. B: two doors, nobody came."""
    here = await make_homes(
        database, A, [*stair_of("3", "2", ROOMS), DwellingInput(building="3", room="9", is_vacant=True)]
    )
    there = await make_homes(database, B, stair_of("1", "1", ["101", "102"], persons=3))
    await make_area(call, here[:4], "worker")
    round_id = await make_round(call)
    results = await push(
        call,
        "worker",
        door_visit(here[0], round_id),
        door_visit(here[1], round_id, "answered_part", persons=[{"resident_id": str(here[1].residents[0])} | FEVER]),
        door_visit(here[2], round_id, "no_answer"),
        door_visit(here[3], round_id, "vacant"),
    )
    assert {r["status"] for r in results} == {"accepted"}
    return here, there, round_id


class TestGetCoverage:
    async def test_it_counts_what_is_there_done_and_missing(self, call: Caller, database: Database) -> None:
        _, _, round_id = await worked_street(call, database)
        body = await coverage_of(call, STREET, "street")
        assert body["round"]["id"] == round_id
        assert [a["name"] for a in body["area"]["ancestors"]] == ["示例市", "东区"]
        total = body["total"]
        expected = {
            "communities": 2, "communities_unknown": 0, "communities_started": 1, "communities_done": 0,
            "dwellings": 8, "dwellings_unassigned": 4, "households": 7, "households_done": 2, "households_missing": 5,
            "persons": 16, "persons_done": 3, "persons_missing": 13, "symptoms": 1, "expected": None,
        }  # fmt: skip
        assert {key: total[key] for key in expected} == expected
        assert {k: n for k, n in total["outcomes"].items() if n} == {
            "answered_all": 1, "answered_part": 1, "no_answer": 1, "vacant": 1,
        }  # fmt: skip
        assert [(i["code"], i["name"], i["households"], i["households_done"]) for i in body["items"]] == [
            (A, "甲社区", 5, 2),
            (B, "乙社区", 2, 0),
        ]

    async def test_nobody_is_screened_because_a_door_was_knocked(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ROOMS))
        round_id = await make_round(call)
        outcomes = ("no_answer", "refused", "answered_all", "answered_part", "unsafe")
        await push(
            call, "committee", *(door_visit(h, round_id, o, persons=[]) for h, o in zip(homes, outcomes, strict=True))
        )
        total = (await coverage_of(call, A, "committee"))["total"]
        assert (total["communities_started"], total["persons_done"], total["households_done"]) == (1, 0, 0)
        assert (total["persons_missing"], total["households_missing"]) == (10, 5)

    async def test_what_nobody_knows_is_null_and_not_zero(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_round(call)
        city = await coverage_of(call, CITY, level="community")
        known, unknown, _ = city["items"]
        assert (known["households"], known["persons_done"], known["communities_unknown"]) == (1, 0, 0)
        assert unknown["communities_unknown"] == 1
        for name in ("dwellings", "households", "households_done", "persons", "persons_missing", "outcomes"):
            assert unknown[name] is None
        assert (city["total"]["communities"], city["total"]["communities_unknown"]) == (3, 2)
        assert city["total"]["households"] == 1

    async def test_an_all_vacant_community_is_a_confirmed_zero(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, [DwellingInput(building="1", room="101", is_vacant=True)])
        total = (await coverage_of(call, A, "committee"))["total"]
        assert (total["households"], total["persons"], total["communities_done"]) == (0, 0, None)

    async def test_without_a_round_there_is_a_registry_and_nothing_done(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        body = await coverage_of(call, STREET)
        assert body["round"] is None
        total = body["total"]
        assert (total["households"], total["households_done"], total["communities_done"]) == (1, None, None)

    async def test_a_community_is_done_when_all_its_doors_are(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        round_id = await make_round(call)
        await push(call, "committee", door_visit(homes[0], round_id))
        assert (await coverage_of(call, A))["total"]["communities_done"] == 0
        await push(call, "committee", door_visit(homes[1], round_id))
        total = (await coverage_of(call, A))["total"]
        assert (total["communities_done"], total["households_missing"], total["persons_missing"]) == (1, 0, 0)

    async def test_a_round_of_a_part_counts_that_part_only(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_homes(database, C, stair_of("3", "2", ["101", "102"]))
        far = await make_round(call, FAR_STREET, "far_street")
        body = await coverage_of(call, CITY)
        assert (body["round"]["id"], body["round"]["division_code"]) == (far, FAR_STREET)
        assert [i["code"] for i in body["items"]] == [FAR_DISTRICT]
        assert (body["total"]["communities"], body["total"]["households"]) == (1, 2)
        wide = await make_round(call)
        assert (await coverage_of(call, CITY))["round"]["id"] == wide
        assert (await coverage_of(call, CITY, round=far))["total"]["households"] == 2
        elsewhere = await call("district", "GET", "/coverage", params={"area": DISTRICT, "round": far})
        assert elsewhere.status_code == 404

    async def test_the_newest_open_round_is_meant(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        first = await make_round(call)
        second = await make_round(call, STREET, "street")
        assert (await coverage_of(call, A))["round"]["id"] == second
        assert (await call("street", "POST", f"/rounds/{second}/close")).is_success
        assert (await coverage_of(call, A))["round"]["id"] == first
        assert (await coverage_of(call, A, round=second))["round"]["status"] == "closed"

    async def test_below_a_community_stand_its_buildings(self, call: Caller, database: Database) -> None:
        doors = [*stair_of("10", "1", ["101"]), *stair_of("2", "1", ["101", "102"]), DwellingInput(address="前街12号")]
        homes = await make_homes(database, A, doors)
        round_id = await make_round(call)
        await push(call, "committee", door_visit(homes[0], round_id))
        first = await coverage_of(call, A, "committee", limit=2)
        rest = await coverage_of(call, A, "committee", limit=2, cursor=first["next_cursor"])
        items = [*first["items"], *rest["items"]]
        assert [(i["name"], i["level"], i["code"], i["households"], i["households_done"]) for i in items] == [
            ("2号楼", "building", A, 2, 1),
            ("10号楼", "building", A, 1, 0),
            ("其他地址", "building", A, 0, 0),
        ]
        for figure in ("dwellings", "households", "households_done", "persons", "persons_done"):
            assert sum(i[figure] for i in items) == first["total"][figure]

    async def test_pages_go_through_all_parts_and_the_total_stays(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        first = await coverage_of(call, CITY, level="community", limit=2)
        last = await coverage_of(call, CITY, level="community", limit=2, cursor=first["next_cursor"])
        assert [i["code"] for i in [*first["items"], *last["items"]]] == [A, B, C]
        assert last["next_cursor"] is None
        assert first["total"] == last["total"]

    @pytest.mark.parametrize(
        ("who", "area", "status"),
        [
            ("worker", A, 403),
            ("client", DISTRICT, 403),
            ("other_committee", A, 404),
            ("far_street", STREET, 404),
            ("committee", STREET, 404),
            ("viewer", STREET, 200),
            ("viewer", A, 200),
            ("city", "990199000000", 404),
            ("city", "9901", 422),
        ],
    )
    async def test_who_may_ask_for_what(self, call: Caller, who: str, area: str, status: int) -> None:
        for path in ("/coverage", "/coverage/gaps"):
            assert (await call(who, "GET", path, params={"area": area})).status_code == status

    async def test_a_level_above_is_refused(self, call: Caller) -> None:
        answer = await call("street", "GET", "/coverage", params={"area": STREET, "level": "district"})
        assert (answer.status_code, answer.json()["code"]) == (422, "level_not_below")

    async def test_a_foreign_cursor_is_refused(self, call: Caller) -> None:
        for path in ("/coverage", "/coverage/gaps"):
            answer = await call("street", "GET", path, params={"area": STREET, "cursor": "WzEsMiwzXQ"})
            assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")


class TestListGaps:
    async def test_doors_are_named_with_reason_and_owner(self, call: Caller, database: Database) -> None:
        here, there, _ = await worked_street(call, database)
        items = await gaps_of(call, STREET, "doors", "street")
        assert [(i["community_name"], i["room"], i["reason"], i["attempts"]) for i in items] == [
            ("甲社区", "102", "answered_part", 0),
            ("甲社区", "201", "no_answer", 1),
            ("甲社区", "301", "not_visited", None),
            ("乙社区", "101", "not_visited", None),
            ("乙社区", "102", "not_visited", None),
        ]
        assert [i["household_id"] for i in items] == [str(h.id) for h in (here[1], here[2], here[4], *there)]
        assert items[0]["address"] == "3号楼 2单元 102"
        worker = call.personas["worker"]
        assert items[0]["owner"] == {"kind": "holder", "id": str(worker.id), "name": "worker 某"}
        assert items[2]["owner"] == {"kind": "committee", "id": None, "name": "甲社区居委会"}

    async def test_persons_are_named_with_what_the_door_said(self, call: Caller, database: Database) -> None:
        here, there, _ = await worked_street(call, database)
        items = await gaps_of(call, STREET, "persons", "street")
        found = {i["resident_id"]: i["reason"] for i in items}
        wanted = {str(here[1].residents[1]): "person_unanswered"}
        wanted |= {str(r): "no_answer" for r in here[2].residents}
        wanted |= {str(r): "person_unanswered" for r in here[3].residents}
        wanted |= {str(r): "not_visited" for home in (here[4], *there) for r in home.residents}
        assert found == wanted

    async def test_communities_are_named_with_their_reason(self, call: Caller, database: Database) -> None:
        await worked_street(call, database)
        items = await gaps_of(call, CITY, "communities")
        assert [(i["community_code"], i["reason"], i["owner"]["name"]) for i in items] == [
            (A, "unfinished", "甲社区居委会"),
            (B, "not_started", "乙社区居委会"),
            (C, "no_registry", "丙社区居委会"),
        ]

    @pytest.mark.parametrize("area", [CITY, DISTRICT, STREET, A, B])
    async def test_figures_and_gaps_add_up(self, call: Caller, database: Database, area: str) -> None:
        await worked_street(call, database)
        total = (await coverage_of(call, area))["total"]
        doors, persons, communities = [await gaps_of(call, area, k) for k in ("doors", "persons", "communities")]
        assert total["households"] == total["households_done"] + len(doors)
        assert total["persons"] == total["persons_done"] + len(persons)
        assert total["communities"] == total["communities_done"] + len(communities)
        assert (total["households_missing"], total["persons_missing"]) == (len(doors), len(persons))

    @pytest.mark.parametrize("kind", ["doors", "persons", "communities"])
    async def test_pages_neither_repeat_nor_skip(
        self, call: Caller, database: Database, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await worked_street(call, database)
        whole = await gaps_of(call, CITY, kind)
        assert len(whole) > 2
        assert await gaps_of(call, CITY, kind, limit=1) == whole
        assert await gaps_of(call, CITY, kind, limit=3) == whole
        monkeypatch.setattr(coverage, "COMMUNITIES_AT_ONCE", 1)
        assert await gaps_of(call, CITY, kind, limit=50) == whole

    async def test_what_is_answered_leaves_the_list(self, call: Caller, database: Database) -> None:
        here, there, round_id = await worked_street(call, database)
        await push(call, "street", *(door_visit(h, round_id) for h in (*here, *there)))
        assert await gaps_of(call, STREET, "doors") == []
        assert await gaps_of(call, STREET, "persons") == []
        assert await gaps_of(call, STREET, "communities") == []
        assert (await coverage_of(call, STREET))["total"]["communities_done"] == 2

    async def test_a_person_added_after_the_visit_is_missing(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await make_round(call)
        await push(call, "committee", door_visit(homes[0], round_id))
        added = await call("committee", "POST", f"/households/{homes[0].id}/residents", json={"name": "新来的人"})
        assert added.status_code == 201, added.text
        total = (await coverage_of(call, A))["total"]
        assert (total["persons"], total["persons_missing"]) == (3, 1)
        (gap,) = await gaps_of(call, A, "persons", "committee")
        assert (gap["resident_id"], gap["name"], gap["reason"]) == (
            added.json()["id"], "新来的人", "person_unanswered",
        )  # fmt: skip

    async def test_names_are_whole_for_street_and_committee_and_masked_above(
        self, call: Caller, database: Database
    ) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"], persons=1))
        names = {}
        for who in ("committee", "street", "viewer", "district", "city"):
            for kind in ("doors", "persons"):
                (gap,) = await gaps_of(call, A, kind, who)
                names[who, kind] = gap["name"]
        assert {names[who, kind] for who in ("committee", "street") for kind in ("doors", "persons")} == {"甲32101"}
        assert {names[w, k] for w in ("viewer", "district", "city") for k in ("doors", "persons")} == {"甲*****"}

    async def test_a_closed_door_elsewhere_is_never_shown(self, call: Caller, database: Database) -> None:
        await worked_street(call, database)
        assert {i["community_code"] for i in await gaps_of(call, B, "doors", "other_committee")} == {B}
