"""Records that phones made before an import was undone and that come in after it: nothing is lost, somebody looks."""

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import EVERYWHERE, Database
from app.taken_out.service import delete_taken_out
from tests.import_export.sheets import xlsx
from tests.import_export.test_routes import brought
from tests.import_undo.test_undo import HEAD, RIGHT, WRONG, all_well, count, homes_of, row, undone
from tests.makers import Home, care_visit, command, door_visit, make_area, make_round, push
from tests.personas import A, Caller


@pytest.fixture
async def carried(call: Caller, database: Database) -> tuple[dict[str, Home], str]:
    """Households as a phone has them that loaded them after a wrong import, which has then been undone."""
    await brought(call, xlsx(RIGHT), dry_run=False)
    async with database.session(EVERYWHERE) as session:
        doors = await session.execute(text("SELECT id, room FROM dwelling WHERE community_code = :c"), {"c": A})
        await make_area(call, [Home(id_, id_, room) for id_, room in doors], "worker")
    round_id = await make_round(call)
    job = await brought(call, xlsx(WRONG), dry_run=False)
    homes = await homes_of(database)
    await undone(call, job["id"])
    return homes, round_id


async def figures(call: Caller, round_id: str) -> tuple[int, int, int, int]:
    """Households and people as the committee sees them, and how many of each are done."""
    total = (await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})).json()["total"]
    return total["households"], total["persons"], total["households_done"], total["persons_done"]


async def test_brings_back_what_a_record_speaks_of(
    call: Caller, database: Database, carried: tuple[dict[str, Home], str]
) -> None:
    homes, round_id = carried
    assert await figures(call, round_id) == (3, 4, 0, 0)
    visit = door_visit(homes["孙丽"], round_id, note="门上有春联")
    family = door_visit(homes["王建国"], round_id)
    cared = care_visit(homes["周全"], resident_id=str(homes["周全"].residents[0]))
    results = await push(call, "worker", visit, family, cared, door_visit(homes["赵强"], round_id))
    assert [(one["status"], one["code"]) for one in results] == [
        *[("flagged", "household_undone")] * 3,
        ("accepted", None),
    ]
    # with their people, and of the household that stayed the one who was spoken of
    assert await figures(call, round_id) == (5, 7, 3, 5)
    await all_well(database)
    again = await push(call, "worker", visit, cared)
    assert [(one["status"], one["code"]) for one in again] == [("duplicate", "household_undone")] * 2
    query = {"community_code": A, "is_flagged": True}
    listed = (await call("committee", "GET", "/door-visits", params=query)).json()["items"]
    assert {(one["head_name"], one["flag_code"], one["note"]) for one in listed} == {
        ("孙丽", "household_undone", "门上有春联"), ("王建国", "household_undone", None),
    }  # fmt: skip
    (care,) = (await call("committee", "GET", "/care-visits", params=query)).json()["items"]
    assert (care["head_name"], care["flag_code"]) == ("周全", "household_undone")
    flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()
    assert (flags["door_visits"], flags["care_visits"]) == (2, 1)
    assert await count(database, "SELECT count(*) FROM taken_out") == 0
    # the phone loads them again
    (area,) = (await call("worker", "GET", "/sync/areas")).json()
    pulled = (await call("worker", "GET", f"/sync/areas/{area['id']}")).json()["upserts"]
    assert {"孙丽", "周全", "王小二"} <= set(pulled["residents"]["n"])


async def test_edits_bring_back_too_and_that_somebody_is_gone_does_not(
    call: Caller, database: Database, carried: tuple[dict[str, Home], str]
) -> None:
    homes, _ = carried
    lost = {"household_id": str(homes["周全"].id), "resident_id": str(homes["周全"].residents[0])}
    gone = command("people.mark_resident_gone", lost | {"reason": "not_living_here"})
    (answer,) = await push(call, "worker", gone)
    assert (answer["status"], await figures_of(database)) == ("accepted", 3)
    edit = {"household_id": str(homes["孙丽"].id), "base_version": 0, "changes": {"phone": "13700000009"}}
    (answer,) = await push(call, "worker", command("people.update_household", edit))
    assert (answer["status"], answer["code"], await figures_of(database)) == ("flagged", "household_undone", 4)
    (listed,) = (await call("committee", "GET", "/flagged-edits", params={"community_code": A})).json()["items"]
    assert (listed["head_name"], listed["flag_code"]) == ("孙丽", "household_undone")
    await all_well(database)


async def figures_of(database: Database) -> int:
    return await count(database, "SELECT count(*) FROM household WHERE NOT is_closed")


async def test_where_the_right_file_has_come_old_ids_lead_to_who_is_there(
    call: Caller, database: Database, carried: tuple[dict[str, Home], str]
) -> None:
    homes, round_id = carried
    right: list[list[Any]] = [HEAD, row(104, "孙丽", "孙丽"), row(104, "孙丽", "孙小丽"), row(101, "王建国", "王小二")]
    await brought(call, xlsx(right), dry_run=False)
    before = await figures(call, round_id)
    assert before == (4, 7, 0, 0)
    new = (await homes_of(database))["孙丽"]
    assert new.id != homes["孙丽"].id
    results = await push(
        call, "worker", door_visit(homes["孙丽"], round_id), door_visit(homes["王建国"], round_id),
        care_visit(homes["孙丽"], resident_id=str(homes["孙丽"].residents[0])),
    )  # fmt: skip
    assert [one["code"] for one in results] == ["household_undone"] * 3
    # nobody is there twice: one of two is answered for at 104, all three at 101
    assert await figures(call, round_id) == (4, 7, 1, 4)
    await all_well(database)
    query = {"community_code": A, "household_id": str(new.id)}
    (visit,) = (await call("committee", "GET", "/door-visits", params=query)).json()["items"]
    assert [one["resident_id"] for one in visit["persons"]] == [str(new.residents[0])]


async def test_after_a_week_nothing_is_kept_and_the_phone_is_told(
    call: Caller, database: Database, carried: tuple[dict[str, Home], str]
) -> None:
    homes, round_id = carried
    kept = "SELECT count(*) FROM taken_out WHERE delete_by = (now() AT TIME ZONE 'Asia/Shanghai')::date + 7"
    assert await count(database, kept) == 3
    async with database.session(EVERYWHERE) as session:
        await session.execute(text("UPDATE taken_out SET delete_by = delete_by - 7"))
    assert await delete_taken_out(database) == 3
    results = await push(call, "worker", door_visit(homes["孙丽"], round_id), door_visit(homes["王建国"], round_id))
    assert [(one["status"], one["code"]) for one in results] == [
        ("rejected", "household_not_found"),
        ("rejected", "resident_not_found"),
    ]
