"""Undoing an import: the same rows stand there again, what somebody has touched stays, phones follow."""

import asyncio
import io
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from app.all_models import metadata
from app.audit.service import verify_chains
from app.core.db import EVERYWHERE, Database
from app.import_undo import undoing
from app.import_undo.finding import FOLLOWS, TOUCHES
from app.people import service as people
from app.screening import service as screening
from tests.import_export.sheets import number, xlsx
from tests.import_export.test_communities import ROWS as DISTRICT_ROWS
from tests.import_export.test_communities import in_district
from tests.import_export.test_routes import brought
from tests.makers import (
    Home,
    care_visit,
    door_visit,
    jpeg,
    make_area,
    make_round,
    push,
    take_photo,
)
from tests.personas import DISTRICT, A, B, Caller

HEAD = ["楼号", "单元", "门牌号", "户主", "姓名", "与户主关系", "性别", "身份证号", "联系电话", "备注", "工作单位"]
# clocks, the trail, the imports themselves and what searches for duplicates have noted
APART = {"community_clock", "audit_entry", "audit_chain", "duplicate_search", "sync_command", "taken_out"}


def row(
    room: object, head: str, name: str, number_: str = "", phone: str = "", note: str = "", work: str = ""
) -> list[object]:
    relation = "户主" if head == name else "家属"
    return ["1", "1", room, head, name, relation, "男", number_, phone, note, work]


RIGHT: list[list[object]] = [
    HEAD,
    row(101, "王建国", "王建国", number(date(1960, 5, 1)), "13800000001", "怕狗"),
    row(101, "王建国", "王小明"),
    row(102, "李桂英", "李桂英", phone="13800000002"),
    row(103, "赵强", "赵强"),
    row(104, "", "", note="无人居住"),
]
WRONG: list[list[object]] = [
    HEAD,
    row(101, "王建国", "王建国", "", "13900000001", "不怕狗", "纺织厂"),
    row(101, "王建国", "王小二"),
    row(102, "李桂英", "李桂英", phone="13900000002"),
    row(102, "周全", "周全"),
    row(104, "孙丽", "孙丽"),
    row(201, "钱多", "钱多", number(date(1970, 5, 1)), "13900000003"),
    row(201, "钱多", "钱少"),
    row(202, "", "", note="无人居住"),
]


async def dump(database: Database) -> dict[str, list[Any]]:
    """Every row of a community's tables, apart from versions and the time it was written."""
    found: dict[str, list[Any]] = {}
    async with database.session(EVERYWHERE) as session:
        for name, table in metadata.tables.items():
            if "community_code" in table.columns and name not in APART and not name.startswith("import_"):
                clocks = [] if name == "field_change" else ["version", "updated_at", "recut_version"]
                rows = await session.scalars(
                    text(f"SELECT to_jsonb(t) - cast(:clocks AS text[]) FROM {name} t"), {"clocks": clocks}
                )
                found[name] = sorted(json.dumps(row, sort_keys=True) for row in rows.all())
        figures = "SELECT * FROM community_clock WHERE dwelling_count > 0 ORDER BY community_code"
        found["tallies"] = [
            {name: value for name, value in row.items() if name.endswith(("_count", "_code"))}
            for row in (await session.execute(text(figures))).mappings()
        ]
    return found


async def undone(call: Caller, import_id: str, who: str = "committee") -> dict[str, Any]:
    """Have an import undone; answers how it stands when that has ended."""
    answer = await call(who, "POST", f"/imports/{import_id}/undo")
    assert answer.status_code == 202, answer.text
    for _ in range(1_200):
        undo = await standing(call, import_id, who)
        if undo["state"] not in ("queued", "running"):
            return undo
        await asyncio.sleep(0.05)
    raise AssertionError("the undo never ended")


async def standing(call: Caller, import_id: str, who: str = "committee") -> dict[str, Any]:
    answer = await call(who, "GET", f"/imports/{import_id}/undo")
    assert answer.status_code == 200, answer.text
    undo: dict[str, Any] = answer.json()
    return undo


def figures(undo: dict[str, Any]) -> dict[str, int]:
    return {name: undo[name] for name in ("doors", "households", "persons", "facts", "kept")}


async def left(call: Caller, import_id: str, who: str = "committee") -> list[tuple[str, str]]:
    """Why which household is left, by room."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await call(who, "GET", f"/imports/{import_id}/left", params=params)).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return [(one["address"].split()[-1], one["reason"]) for one in items]


async def homes_of(database: Database) -> dict[str, Home]:
    """A's households by the name of their head."""
    async with database.session(EVERYWHERE) as session:
        rows = await session.execute(
            text("""
            SELECT h.head_name, h.id, h.dwelling_id, d.room, array_agg(r.id ORDER BY r.id) AS people FROM household h
            JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id
            JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id
            WHERE h.community_code = :c GROUP BY 1, 2, 3, 4
        """),
            {"c": A},
        )
        return {row.head_name: Home(row.id, row.dwelling_id, row.room, row.people) for row in rows}


async def names(database: Database, code: str = A) -> set[str]:
    async with database.session(EVERYWHERE) as session:
        return set(await session.scalars(text("SELECT name FROM resident WHERE community_code = :c"), {"c": code}))


async def all_well(database: Database) -> None:
    """No tally has drifted and the trail holds."""
    async with database.session(EVERYWHERE) as session:
        assert await people.find_tally_drift(session) == []
        assert await screening.find_tally_drift(session) == []
    assert (await verify_chains(database))[1] == []


async def count(database: Database, statement: str) -> int:
    async with database.session(EVERYWHERE) as session:
        return int((await session.execute(text(statement))).scalar_one())


class TestUndoImport:
    async def test_gives_back_the_same_rows_and_the_phone_follows(self, call: Caller, database: Database) -> None:
        await brought(call, xlsx(RIGHT), dry_run=False)
        homes = await homes_of(database)
        area = await make_area(call, list(homes.values()), "worker")
        round_id = await make_round(call)
        await push(call, "worker", *(door_visit(homes[name], round_id) for name in ("王建国", "李桂英")))
        edit = {"phone": "13700000001"}
        assert (await call("committee", "PATCH", f"/residents/{homes['王建国'].residents[0]}", json=edit)).is_success
        before = await dump(database)
        version = (await call("worker", "GET", f"/sync/areas/{area['id']}")).json()["version"]

        job = await brought(call, xlsx(WRONG), dry_run=False)
        assert job["status"] == "done"
        plan = await standing(call, job["id"])
        assert (plan["state"], 3500 < plan["seconds_left"] <= 3600) == ("possible", True)
        assert figures(plan) == {"doors": 2, "households": 3, "persons": 5, "facts": 7, "kept": 0}
        pulled = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": version})).json()
        assert "周全" in pulled["upserts"]["households"]["h"]
        assert await dump(database) != before

        undo = await undone(call, job["id"])
        assert (undo["state"], undo["by_name"], figures(undo)) == ("undone", "committee 某", figures(plan))
        after = await dump(database)
        assert {name: after[name] for name in after if after[name] != before[name]} == {}
        assert await count(database, "SELECT count(*) FROM import_before") == 0
        await all_well(database)
        follows = (await call("worker", "GET", f"/sync/areas/{area['id']}", params={"since": pulled["version"]})).json()
        assert follows["reset"]
        assert sorted(follows["upserts"]["households"]["h"]) == ["李桂英", "王建国", "赵强"]
        assert sorted(follows["upserts"]["residents"]["n"]) == ["李桂英", "王小明", "王建国", "赵强"]

        again = await call("committee", "POST", f"/imports/{job['id']}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "import_undone")
        (told, _) = (await call("committee", "GET", "/imports")).json()["items"]
        assert (told["undone_by_name"], told["undone_at"]) == ("committee 某", undo["undone_at"])
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [one["action"] for one in trail[:2]] == ["take_back_import", "undo_import"]
        # what was wrong is no longer in the way of what is right
        right = await brought(call, xlsx(WRONG), dry_run=False)
        assert right["counts"]["created"] == job["counts"]["created"]

    async def test_leaves_what_somebody_has_touched(self, call: Caller, database: Database) -> None:
        await brought(call, xlsx(RIGHT), dry_run=False)
        rooms = [301, 302, 303, 304, 305, 306, 307, 308]
        job = await brought(
            call, xlsx([*WRONG, *(row(room, f"人{room}", f"人{room}") for room in rooms)]), dry_run=False
        )
        homes = await homes_of(database)
        round_id = await make_round(call)
        at = {room: homes[f"人{room}"] for room in rooms}
        who = str(at[302].residents[0])
        hot = [{"resident_id": who, "status": "symptoms", "temperature_c": 38.5}]
        await make_area(call, [at[301]], "worker")
        done = await push(
            call, "committee", door_visit(at[302], round_id, "answered_part", persons=hot), care_visit(at[303]),
            door_visit(homes["王建国"], round_id, "no_answer"),
        )  # fmt: skip
        assert [one["status"] for one in done] == ["accepted"] * 3
        assert (await call("committee", "PATCH", f"/households/{at[304].id}", json={"note": "在家"})).is_success
        assert (await take_photo(call, "committee", at[305], jpeg())).is_success
        path = f"/residents/{at[306].residents[0]}/reveal"
        assert (await call("committee", "POST", path, json={"fields": ["phone"], "purpose": "回访"})).is_success
        sent = {"resident_ids": [str(at[307].residents[0])], "community_code": B, "place": "乙社区"}
        assert (await call("committee", "POST", f"/households/{at[307].id}/send", json=sent)).is_success
        touched = [
            ("101", "visit"), ("301", "area"), ("302", "visit"), ("303", "care_visit"), ("304", "edit"),
            ("305", "photo"), ("306", "reveal"), ("307", "move"),
        ]  # fmt: skip
        plan = await standing(call, job["id"])
        # of the first building 102 and 104, 201 and 202, and 308 behind it are as they came
        assert figures(plan) == {"doors": 3, "households": 4, "persons": 5, "facts": 3, "kept": 8}
        assert await left(call, job["id"]) == touched

        undo = await undone(call, job["id"])
        assert (undo["state"], figures(undo)) == ("undone", figures(plan))
        assert await left(call, job["id"]) == touched
        assert await names(database) == {
            "王建国", "王小明", "王小二", "李桂英", "赵强", *(f"人{room}" for room in rooms[:-1]),
        }  # fmt: skip
        await all_well(database)
        book = await call("committee", "GET", f"/imports/{job['id']}/left.xlsx", headers={"Accept-Language": "zh-CN"})
        sheet = load_workbook(io.BytesIO(book.content)).worksheets[0]
        assert [cell.value for cell in sheet["E"]][-8:] == [
            "入户排查", "门已划入责任区或改动", "入户排查", "走访", "登记改动", "照片", "查看或打印过号码",
            "搬迁或户口",
        ]  # fmt: skip

    async def test_is_over_after_an_hour_and_nothing_is_kept_of_it(self, call: Caller, database: Database) -> None:
        await brought(call, xlsx(RIGHT), dry_run=False)
        job = await brought(call, xlsx(WRONG), dry_run=False)
        same = await brought(call, xlsx(WRONG), dry_run=False)
        preview = await brought(call, xlsx(WRONG))
        assert [(await standing(call, one["id"]))["state"] for one in (same, preview)] == ["nothing", "not_done"]
        assert await undoing.forget_over(database) == 0
        assert await count(database, "SELECT count(*) FROM import_before") == 5
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE import_job SET undo_until = now() - interval '1 second'"))
        assert (await standing(call, job["id"]))["state"] == "over"
        answer = await call("committee", "POST", f"/imports/{job['id']}/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_undo_over")
        assert await undoing.forget_over(database) == 2
        for table in ("import_before", "import_written"):
            assert await count(database, f"SELECT count(*) FROM {table}") == 0
        assert "钱多" in await names(database)

    async def test_the_later_of_two_is_undone_first(self, call: Caller, database: Database) -> None:
        first = await brought(call, xlsx(RIGHT), dry_run=False)
        second = await brought(call, xlsx(WRONG), dry_run=False)
        answer = await call("committee", "POST", f"/imports/{first['id']}/undo")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_undo_not_last")
        assert (await standing(call, first["id"]))["state"] == "not_last"
        await undone(call, second["id"])
        await undone(call, first["id"])
        assert (await names(database)) <= {"王建国", "王小明", "李桂英"}
        await all_well(database)

    async def test_is_not_for_other_committees(self, call: Caller, database: Database) -> None:
        own = await brought(call, xlsx(RIGHT), dry_run=False)
        district = await in_district(call, DISTRICT_ROWS, dry_run=False)
        for who, job in (("other_committee", own), ("far_committee", own), ("committee", district)):
            for method, path in (("GET", "undo"), ("POST", "undo"), ("GET", "left"), ("GET", "left.xlsx")):
                assert (await call(who, method, f"/imports/{job['id']}/{path}")).status_code == 404
        assert (await call("worker", "POST", f"/imports/{own['id']}/undo")).status_code == 403
        assert len(await names(database)) >= 4


class TestAWorkerThatDies:
    async def test_goes_on_with_the_first_community_that_waits(
        self, call: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = await in_district(call, DISTRICT_ROWS, dry_run=False)
        take_back, seen = undoing.take_back, list[str]()

        async def die_in_b(session: Any, doer: Any, community: str, import_id: Any) -> None:
            seen.append(community)
            await take_back(session, doer, community, import_id)
            if seen == [A, B]:
                # what the next one finds: A taken back, B as it was
                raise ConnectionError

        monkeypatch.setattr(undoing, "take_back", die_in_b)
        undo = await undone(call, job["id"], "district")
        assert seen == [A, B, B]
        assert (undo["state"], undo["progress"]) == ("undone", {"done": 2, "total": 2})
        assert (await names(database), await names(database, B)) == (set(), set())
        entries = "SELECT count(*) FROM audit_entry WHERE action = 'take_back_import' AND community_code = "
        assert [await count(database, f"{entries}'{code}'") for code in (A, B)] == [1, 1]
        asked = f"SELECT count(*) FROM audit_entry WHERE action = 'undo_import' AND community_code = '{DISTRICT}'"
        assert await count(database, asked) == 1
        await all_well(database)


def naming(names: Iterable[str]) -> set[str]:
    return {
        name
        for name, table in metadata.tables.items()
        if "community_code" in table.columns and any(one in table.columns for one in names)
    }


def test_every_table_that_can_name_a_household_says_whether_it_was_touched() -> None:
    named = naming(
        ("household_id", "household_ids", "resident_id", "from_resident_id", "subject_id", "kept_id", "row_id")
    )
    assert named | {"household", "dwelling"} == set(TOUCHES) | set(FOLLOWS)
    assert not set(TOUCHES) & set(FOLLOWS)
