"""What is taken for the same person or household, what is not, and what never comes back."""

import asyncio
from datetime import date

from app.core.db import Database
from tests.duplicates.pairs import BORN, door, id_of, listed, person, post, register, search
from tests.personas import CITY, A, B, Caller

TWIN_DAY = date(2001, 7, 7)


def slip(number: str) -> str:
    """The same number with one digit of the sequence wrong, and its own check digit."""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return id_of(born, (int(number[14:17]) + 2) % 1000)


async def test_who_is_the_same_and_who_is_not(call: Caller, database: Database) -> None:
    number = id_of(BORN, 101)
    await register(
        database,
        # found: a number typed wrong behind the same door; a day and month exchanged; written with a space
        door("101", person("郑一", number=number), person("郑 一", number=slip(number))),
        door("102", person("郑二", date(1980, 3, 12))), door("102", person("郑二", date(1980, 12, 3)), head="郑"),
        # found: behind another door, born on the same day, a number on one side only
        door("201", person("郑三", date(1960, 6, 6), id_of(date(1960, 6, 6), 33))),
        door("901", person("郑三", date(1960, 6, 6))),
        # found: no birth date on one side, but one telephone
        door("202", person("郑四", None, phone="13800000044")),
        door("902", person("郑四", date(1970, 1, 1), phone="13800000044")),
        # not: twins, and twins with one number to ring
        door("301", person("吴大双", TWIN_DAY, id_of(TWIN_DAY, 11)), person("吴小双", TWIN_DAY, id_of(TWIN_DAY, 13))),
        door("302", person("冯佳", TWIN_DAY, phone="13800000055"), person("冯嘉", TWIN_DAY, phone="13800000055")),
        # not: of the same name behind other doors: no birth date, another one, or two numbers that are both right
        door("401", person("陈芳", None, sex=2)), door("402", person("陈芳", date(1990, 1, 1), sex=2)),
        door("403", person("陈芳", date(1991, 1, 1), sex=2)),
        door("501", person("褚强", date(1985, 5, 5), id_of(date(1985, 5, 5), 101))),
        door("502", person("褚强", date(1985, 5, 5), id_of(date(1985, 5, 5), 355))),
        # not: a woman and a man, words where a name should be
        door("601", person("卫国", date(1977, 7, 7), sex=1)), door("602", person("卫国", date(1977, 7, 7), sex=2)),
        door("603", person("不详", None)), door("603", person("不详", None), head="另一户"),
        # not: a dormitory, where door and telephone are everybody's
        door("701", person("蒋工", None, phone="13800000077"), kind="collective", head="甲宿舍"),
        door("701", person("蒋工", date(1995, 1, 1), phone="13800000077"), kind="collective", head="乙宿舍"),
    )  # fmt: skip
    assert (await search(database))[A] == 4
    found = {tuple(side["person"]["name"] for side in one["sides"]): one["reasons"] for one in await listed(call)}
    assert {key[0].replace(" ", ""): reasons for key, reasons in found.items()} == {
        "郑一": ["same_name", "id_typo", "same_birth_date", "same_door"],
        "郑二": ["same_name", "birth_date_close", "same_door"],
        "郑三": ["same_name", "same_birth_date"],
        "郑四": ["same_name", "same_phone"],
    }
    # the surest first, and page by page the same
    first = (await call("committee", "GET", "/duplicates", params={"area": A, "limit": 3})).json()
    rest = (await call("committee", "GET", "/duplicates", params={"area": A, "cursor": first["next_cursor"]})).json()
    names = [one["sides"][0]["person"]["name"].replace(" ", "") for one in first["items"] + rest["items"]]
    assert (names[0], names[-1], len(names)) == ("郑一", "郑二", 4)
    assert not any(word in str(first) for word in (number, "1980-03-12", "rank", "score"))


async def test_what_nobody_has_changed_is_passed_over(call: Caller, database: Database) -> None:
    twice = [door("101", person()), door("601", person())]
    await register(database, *twice)
    assert (await search(database))[A] == 1
    assert await search(database) == {}
    assert (await search(database, full=True))[A] == 1
    # a birth date put right: the pair is taken back
    resident = twice[1].households[0].persons[0].id
    change = {"birth_on": "1951-01-01", "reason": "按身份证更正"}
    assert (await call("committee", "PATCH", f"/residents/{resident}", json=change)).is_success
    assert await search(database) == {A: 0}
    assert await listed(call) == []


async def test_what_is_not_the_same_never_comes_back(call: Caller, database: Database) -> None:
    first, second = person(), person()
    await register(database, door("101", first), door("601", second))
    await search(database)
    (found,) = await listed(call)
    path = f"/duplicates/{found['id']}/dismiss"
    for who, status in {"other_committee": 404, "viewer": 403, "worker": 403}.items():
        assert (await call(who, "POST", path, json={"reason": "不是同一人"})).status_code == status
    assert (await call("committee", "POST", path, json={"reason": ""})).status_code == 422
    said = await post(call, path, {"reason": "同名同日,已上门核实"})
    assert (said["status"], said["reason"], said["decided_by_name"]) == (
        "dismissed", "同名同日,已上门核实", "committee 某",
    )  # fmt: skip
    await search(database, full=True)
    assert await listed(call) == []
    (kept,) = await listed(call, status="dismissed")
    assert (kept["id"], kept["reason"]) == (found["id"], "同名同日,已上门核实")

    back = await post(call, f"/duplicates/{found['id']}/reopen")
    assert (back["status"], back["reason"]) == ("open", None)
    await post(call, path, {"reason": "仍不是同一人"})

    # nor when one of them has been merged with somebody else since
    third = person()
    await register(database, door("601", third, head="三"))
    await search(database)
    items = await listed(call)
    assert len(items) == 2
    pair = next(one for one in items if "same_door" in one["reasons"])
    await post(call, f"/duplicates/{pair['id']}/merge", {"keep": str(third.id)})
    other = next(one for one in items if one is not pair)
    await search(database, full=True)
    # the pair with the third is the pair that was said to be different
    assert await listed(call) == []
    assert other["status"] == "open"


async def test_a_desk_has_its_part_searched_and_sees_how_far(call: Caller, database: Database) -> None:
    for community in (A, B):
        await register(database, door("101", person()), door("601", person()), community=community)
    asked = await call("street", "POST", "/duplicates/search", json={"area": "990101001000"})
    assert (asked.status_code, asked.json()["communities"]) == (202, 2)
    assert (await call("other_committee", "POST", "/duplicates/search", json={"area": A})).status_code == 404
    await search(database)
    how_far = (await call("city", "GET", "/duplicates/search", params={"area": CITY})).json()
    assert (how_far["communities"], how_far["waiting"], how_far["searched_at"] is not None) == (3, 0, True)
    assert len(await listed(call, "city", CITY)) == 2
    # who is far from the people reads surnames
    assert {side["person"]["name"] for one in await listed(call, "city", CITY) for side in one["sides"]} == {"赵**"}
    assert (await call("committee", "GET", "/duplicates", params={"area": B})).status_code == 404


async def test_a_list_that_comes_in_is_searched(call: Caller, database: Database) -> None:
    await register(database, door("101", person("沈名册", BORN)))
    roster = "姓名,楼号,单元,房号,与户主关系,出生日期\n沈名册,9,1,901,户主,1980-03-12\n"
    form = {"kind": "roster", "community_code": A, "dry_run": "false"}
    files = {"file": ("名册.csv", roster.encode(), "text/csv")}
    assert (await call("committee", "POST", "/imports", data=form, files=files)).status_code == 202
    for _ in range(1_200):
        if found := await listed(call):
            break
        await asyncio.sleep(0.05)
    assert [one["reasons"] for one in found] == [["same_name", "same_birth_date"]]
