"""One file for a whole district: split by community, each done wholly or not at all, seen by whom it concerns."""

from typing import Any

import pytest

from app.areas import service as areas
from app.areas.service import DivisionEntry
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.import_export import running
from app.import_export.models import ImportKind
from app.import_export.service import create_import
from tests.import_export.sheets import csv_text, xlsx
from tests.import_export.test_routes import brought, settled, upload
from tests.import_export.test_service import Actor, Role, counted, run
from tests.personas import DISTRICT, PERSONAS, STREET, A, B, C, Caller

HEAD = ["镇街", "社区", "楼号", "单元", "门牌号", "姓名", "与户主关系", "性别"]
DISTRICT_ACTOR = Actor(PERSONAS["district"].id, "区", "person", None, ((Role.DISTRICT, DISTRICT[:6]),))


def row(community: object, room: str, name: str, town: str = "花园街道") -> list[object]:
    return [town, community, "1", "1", room, name, "户主", "男"]


ROWS = [HEAD, row("甲社区", "101", "王建国"), row("乙社区居委会", "101", "李桂英"), row(A, "102", "赵强")]


async def names_in(call: Caller, code: str, who: str) -> set[str]:
    answer = await call(who, "GET", "/households", params={"community_code": code, "limit": 500})
    assert answer.status_code == 200, answer.text
    return {home["head_name"] for home in answer.json()["items"]}


async def in_district(call: Caller, rows: list[list[object]], **fields: Any) -> dict[str, Any]:
    return await brought(call, xlsx(rows), who="district", community_code=DISTRICT, **fields)


class TestDistrictFile:
    async def test_is_split_by_the_name_or_code_of_each_rows_community(self, call: Caller) -> None:
        preview = await in_district(call, ROWS)
        assert (preview["status"], preview["counts"]["created"], preview["problems"]) == ("previewed", 3, [])
        assert preview["communities"] == {"done": 0, "total": 2}
        assert await names_in(call, A, "committee") == set()

        assert (await call("district", "POST", f"/imports/{preview['id']}/apply")).status_code == 202
        done = await settled(call, preview["id"], "district")
        assert (done["status"], done["counts"]["created"], done["counts"]["rows"]) == ("done", 3, 3)
        assert done["communities"] == {"done": 2, "total": 2}
        assert await names_in(call, A, "committee") == {"王建国", "赵强"}
        assert await names_in(call, B, "other_committee") == {"李桂英"}
        parts = (await call("district", "GET", f"/imports/{done['id']}/communities")).json()["items"]
        assert [(p["community_code"], p["community_name"], p["status"], p["counts"]["persons"]) for p in parts] == [
            (A, "甲社区", "done", 2), (B, "乙社区", "done", 1),
        ]  # fmt: skip

        again = await in_district(call, ROWS, dry_run=False)
        assert (again["counts"]["created"], again["counts"]["unchanged"]) == (0, 3)

    async def test_a_csv_is_split_too(self, call: Caller) -> None:
        done = await brought(
            call, csv_text(ROWS).encode("gb18030"), who="street", community_code=STREET, file_name="街道.csv",
            dry_run=False,
        )  # fmt: skip
        assert (done["counts"]["created"], done["communities"]) == (3, {"done": 2, "total": 2})

    async def test_leaves_out_rows_of_other_districts_of_no_community_and_of_a_name_that_two_have(
        self, call: Caller, database: Database
    ) -> None:
        twin = "990101002001"
        async with database.session(EVERYWHERE) as session:
            entries = [
                DivisionEntry("990101002000", "泉城街道", "town", DISTRICT),
                DivisionEntry(twin, "甲社区", "community", "990101002000"),
            ]
            await areas.put_divisions(session, entries, today())
        rows = [
            HEAD,
            row("丙社区", "101", "远一"),
            row(C, "102", "远二"),
            row("", "103", "无处", ""),
            row("甲社区", "104", "两可", ""),
            row("甲社区", "105", "泉城人", "泉城街道办事处"),
            row("乙社区", "106", "留下"),
            row("乙社区", "107", "也留下"),
        ]
        done = await in_district(call, rows, dry_run=False)
        assert [(p["row"], p["column"], p["code"]) for p in done["problems"]] == [
            (2, "B", "community_unknown"), (3, "B", "community_unknown"), (4, "B", "community_missing"),
            (5, "B", "community_ambiguous"),
        ]  # fmt: skip
        counts = done["counts"]
        assert (counts["rows"], counts["rejected"], counts["created"]) == (7, 4, 3)
        assert await names_in(call, twin, "district") == {"泉城人"}
        assert await names_in(call, C, "far_committee") == set()

    async def test_is_not_for_who_holds_less_or_for_a_division_nobody_knows(self, call: Caller) -> None:
        assert (await upload(call, xlsx(ROWS), "committee", community_code=STREET)).status_code in (403, 404)
        assert (await upload(call, xlsx(ROWS), "far_street", community_code=STREET)).status_code == 404
        unknown = await upload(call, xlsx(ROWS), "city", community_code="990103000000")
        assert (unknown.status_code, unknown.json()["code"]) == (422, "community_unknown")


class TestWhoSees:
    async def test_a_committee_sees_what_a_district_file_did_in_its_own_community(self, call: Caller) -> None:
        done = await in_district(call, [*ROWS, row("没有的社区", "109", "谁")], dry_run=False)
        for who, code, created in (("committee", A, 2), ("other_committee", B, 1)):
            (listed,) = (await call(who, "GET", "/imports", params={"community_code": code})).json()["items"]
            assert (listed["id"], listed["is_part"], listed["counts"]["created"]) == (done["id"], True, created)
            seen = (await call(who, "GET", f"/imports/{done['id']}")).json()
            assert (seen["counts"]["created"], seen["communities"]) == (created, {"done": 1, "total": 1})
            assert (seen["sheets"], seen["preview"], seen["problems"], seen["problem_counts"]) == ([], [], [], [])
            parts = (await call(who, "GET", f"/imports/{done['id']}/communities")).json()["items"]
            assert [part["community_code"] for part in parts] == [code]
            assert (await call(who, "GET", f"/imports/{done['id']}/errors.xlsx")).status_code == 404
            assert (await call(who, "POST", f"/imports/{done['id']}/apply")).status_code == 404
        for path in ("", "/communities", "/differences", "/differences.xlsx"):
            assert (await call("far_committee", "GET", f"/imports/{done['id']}{path}")).status_code == 404

    async def test_one_committee_sees_no_import_of_another(self, call: Caller) -> None:
        job = await brought(call, xlsx([HEAD, row("甲社区", "101", "王建国")]), dry_run=False)
        assert (await call("other_committee", "GET", "/imports")).json()["items"] == []
        for path in ("", "/communities", "/differences", "/differences.xlsx", "/errors.xlsx"):
            assert (await call("other_committee", "GET", f"/imports/{job['id']}{path}")).status_code == 404


class TestAWorkerThatDiesBetweenCommunities:
    async def test_goes_on_with_the_first_that_is_not_done(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with database.session(DISTRICT_ACTOR.scope) as session:
            job = await create_import(
                session, DISTRICT_ACTOR, kind=ImportKind.ROSTER, file_name="区.xlsx", content=xlsx(ROWS),
                community_code=DISTRICT, dry_run=False, mapping=None,
            )  # fmt: skip
        done = running.part_done

        async def die_in_b(session: Any, community: str, *rest: Any) -> None:
            await done(session, community, *rest)
            if community == B:
                raise ConnectionError

        with monkeypatch.context() as patched:
            patched.setattr(running, "part_done", die_in_b)
            with pytest.raises(ConnectionError):
                await run(database, job.id)
        persons = "SELECT count(*) FROM resident WHERE community_code = "
        assert await counted(database, f"{persons} '{A}'") == 2
        assert await counted(database, f"{persons} '{B}'") == 0
        assert await counted(database, "SELECT count(*) FROM import_job WHERE status = 'running'") == 1

        def never(*_: Any, **__: Any) -> None:
            raise AssertionError("read a second time")

        monkeypatch.setattr(running, "RosterReader", never)
        await run(database, job.id, attempts=1)
        assert await counted(database, f"{persons} '{B}'") == 1
        assert await counted(database, "SELECT count(*) FROM resident") == 3
        assert await counted(database, "SELECT (counts->>'created')::int FROM import_job WHERE status = 'done'") == 3
        assert await counted(database, "SELECT count(*) FROM audit_entry WHERE action = 'import_roster'") == 2
        assert await counted(database, "SELECT count(*) FROM import_doors") == 0
