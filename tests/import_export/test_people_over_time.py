"""A roster that names somebody who has moved, left or died adds nobody anew: it is told or asked, by the dates."""

from datetime import date, timedelta
from typing import Any

import pytest

from app.core.clock import today
from tests.import_export.sheets import number, xlsx
from tests.import_export.test_differences import differences
from tests.import_export.test_routes import HEAD, WANG, brought, households
from tests.personas import B, Caller
from tests.residence.households import done, read

BORN = date(1962, 3, 4)
LAST_WEEK, YESTERDAY, TODAY = (str(today() - timedelta(days=days)) for days in (7, 1, 0))
ROWS: list[list[object]] = [
    [*HEAD, "出生日期"],
    ["1", "1", "101", "", "王建国", "户主", "男", WANG, "", "", ""],
    ["1", "1", "101", "", "李桂英", "配偶", "女", "", "", "", str(BORN)],
    ["1", "1", "102", "", "赵六", "户主", "男", "", "", "", ""],
]


async def people(call: Caller) -> list[tuple[str, str]]:
    """Everybody who lives in A, by name, with their address."""
    found = []
    for home in await households(call):
        for person in (await read(call, f"/households/{home['id']}/residents"))["items"]:
            found.append((person["name"], home["address"] or home["room"]))
    return sorted(found)


async def one_called(call: Caller, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Somebody and their household."""
    for home in await households(call):
        for person in (await read(call, f"/households/{home['id']}/residents"))["items"]:
            if person["name"] == name:
                return person, home
    raise LookupError(name)


async def leave_whole(call: Caller, name: str) -> None:
    """Somebody's whole household leaves the community."""
    _, home = await one_called(call, name)
    members = (await read(call, f"/households/{home['id']}/residents"))["items"]
    ids = [person["id"] for person in members]
    await done(call, f"/households/{home['id']}/leave", resident_ids=ids, reason="moved_away", on=YESTERDAY)


class TestWhoHasLeft:
    @pytest.mark.parametrize("who", ["王建国", "李桂英", "赵六"], ids=["by number", "by birth date", "by door"])
    @pytest.mark.parametrize("reason", ["moved_away", "died"])
    async def test_is_not_added_anew(self, call: Caller, who: str, reason: str) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        person, _ = await one_called(call, who)
        await done(call, f"/residents/{person['id']}/leave", reason=reason, on=YESTERDAY)
        before = await people(call)
        older = await brought(call, xlsx(ROWS), dry_run=False, as_of=LAST_WEEK)
        assert await people(call) == before
        assert (older["counts"]["created"], older["counts"]["asked"]) == (0, 0)
        (kept,) = [d for d in await differences(call, older["id"], outcome="kept") if d["field"] == "is_gone"]
        assert (kept["name"], kept["registered"], kept["actor_name"]) == (who, reason, "committee 某")
        newer = await brought(call, xlsx(ROWS), dry_run=False)
        assert await people(call) == before
        assert (newer["counts"]["created"], newer["counts"]["kept"], newer["counts"]["asked"]) == (0, 0, 1)
        assert newer["differences"]["asked"] == 1
        (asked,) = await differences(call, newer["id"], outcome="asked")
        assert (asked["name"], asked["field"], asked["registered"], asked["changed_at"]) == (
            who,
            "is_gone",
            reason,
            None,
        )

    async def test_a_household_that_has_left_whole_is_not_begun_again(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        await leave_whole(call, "王建国")
        job = await brought(call, xlsx(ROWS), dry_run=False, as_of=LAST_WEEK)
        assert [name for name, _ in await people(call)] == ["赵六"]
        assert (job["counts"]["kept"], job["counts"]["unchanged"], job["counts"]["created"]) == (2, 3, 0)
        assert job["differences"]["kept"] == 2

    async def test_a_new_family_behind_the_door_is_taken(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        await leave_whole(call, "王建国")
        new = ["1", "1", "101", "", "孙新", "户主", "男", number(date(1970, 1, 2), 3), "", "", ""]
        job = await brought(call, xlsx([ROWS[0], new, ROWS[1]]), dry_run=False)
        assert (job["counts"]["created"], job["counts"]["asked"]) == (1, 1)
        assert [name for name, _ in await people(call)] == ["孙新", "赵六"]

    async def test_a_namesake_born_on_another_day_is_somebody_else(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        person, _ = await one_called(call, "李桂英")
        await done(call, f"/residents/{person['id']}/leave", reason="died", on=YESTERDAY)
        other = ["1", "1", "101", "", "李桂英", "母亲", "女", "", "", "", "1930-01-01"]
        job = await brought(call, xlsx([ROWS[0], ROWS[1], other]), dry_run=False)
        assert (job["counts"]["created"], job["counts"]["asked"]) == (1, 0)

    async def test_who_was_sent_to_another_community_is_not_added_to_the_first(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        person, home = await one_called(call, "王建国")
        await done(call, f"/households/{home['id']}/send", resident_ids=[person["id"]], community_code=B, on=YESTERDAY)
        job = await brought(call, xlsx(ROWS), dry_run=False, as_of=LAST_WEEK)
        assert job["counts"]["created"] == 0
        assert "王建国" not in {name for name, _ in await people(call)}


class TestWhoHasMovedWithinTheCommunity:
    @pytest.mark.parametrize("who", ["王建国", "李桂英"], ids=["by number", "by birth date"])
    async def test_stays_where_they_live_now(self, call: Caller, who: str) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        person, _ = await one_called(call, who)
        _, other = await one_called(call, "赵六")
        await done(call, f"/residents/{person['id']}/move", household_id=other["id"], on=YESTERDAY)
        before = await people(call)
        older = await brought(call, xlsx(ROWS), dry_run=False, as_of=LAST_WEEK)
        assert await people(call) == before
        (kept,) = [d for d in await differences(call, older["id"], outcome="kept") if d["field"] == "place"]
        assert (kept["name"], kept["listed"], kept["registered"]) == (who, "1号楼 1单元 101", "1号楼 1单元 102")
        newer = await brought(call, xlsx(ROWS))
        assert (newer["counts"]["asked"], newer["counts"]["created"], newer["problems"]) == (1, 0, [])

    async def test_who_is_listed_behind_a_new_door_is_asked_for_not_doubled(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        moved = ["9", "1", "101", "", "王建国", "户主", "男", WANG, "", "", ""]
        job = await brought(call, xlsx([ROWS[0], moved]), dry_run=False)
        assert (job["counts"]["created"], job["counts"]["asked"], job["problems"]) == (0, 1, [])
        assert [name for name, _ in await people(call)].count("王建国") == 1
        assert len(await households(call)) == 2

    async def test_the_same_number_under_another_name_is_still_a_problem(self, call: Caller) -> None:
        await brought(call, xlsx(ROWS), dry_run=False)
        other = ["9", "1", "101", "", "周八", "户主", "男", WANG, "", "", ""]
        job = await brought(call, xlsx([ROWS[0], other]), dry_run=False)
        assert [p["code"] for p in job["problems"]] == ["id_duplicate"]
        assert job["counts"]["created"] == 1


async def test_a_row_that_came_with_a_newer_file_gives_nothing_to_an_older_one(call: Caller) -> None:
    row = ["1", "1", "101", "", "王建国", "户主", "男", WANG, "13800000001", "", ""]
    await brought(call, xlsx([ROWS[0], row]), dry_run=False, as_of=YESTERDAY)
    older = [*row[:5], "父", *row[6:8], "13900000009", "租住", ""]
    job = await brought(call, xlsx([ROWS[0], older]), dry_run=False, as_of=LAST_WEEK)
    person, home = await one_called(call, "王建国")
    assert (person["relation"], person["phone_masked"]) == ("户主", "138****0001")
    kept = await differences(call, job["id"], outcome="kept")
    assert {d["field"] for d in kept} >= {"phone", "relation"}
    assert home["note"] == "租住"  # of which the newer file says nothing
    taken = await brought(call, xlsx([ROWS[0], older]), dry_run=False, as_of=TODAY)
    assert taken["counts"]["kept"] == 0
    assert (await one_called(call, "王建国"))[0]["phone_masked"] == "139****0009"
