"""Finding a person as somebody types."""

from typing import Any

import pytest

from app.audit.service import SYSTEM
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.makers import invented_id
from tests.personas import CITY, DISTRICT, STREET, A, B, C, Caller

PEOPLE = {
    A: [
        ("泉景园", "3", "2", "101", "王芳", 1, "13800000001", ["living_alone_elder"]),
        ("泉景园", "3", "2", "102", "王芳芳", 2, "13800000002", []),
        ("泉景园", "12", "1", "301", "李伟", 3, "13800000003", ["tenant"]),
        ("", "前街", "", "5号", "吴飞", 4, "053188880004", []),
    ],
    B: [("杏林苑", "3", "2", "101", "王方", 5, "13800000005", ["living_alone_elder"])],
    C: [("泉景园", "3", "2", "101", "王芳", 6, "13800000006", [])],
}


@pytest.fixture
async def town(database: Database) -> Database:
    """Three communities with a few people each."""
    async with database.session(EVERYWHERE) as session:
        for code, people in PEOPLE.items():
            doors = [
                DwellingInput(
                    compound, building, stair, None, room,
                    households=[
                        HouseholdInput(
                            name, phone, tags,
                            persons=[
                                PersonInput(
                                    name, "户主", id_kind="resident_id", id_number=invented_id(n), phone=phone
                                )
                            ],
                        )
                    ],
                )
                for compound, building, stair, room, name, n, phone, tags in people
            ]  # fmt: skip
            await registry.put_dwellings(session, SYSTEM, code, doors)
    return database


async def found(call: Caller, who: str, q: str, **params: Any) -> list[tuple[str, str]]:
    """Names and what they were found by."""
    answer = await call(who, "GET", "/residents", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    return [(item["name"], item["matched"]) for item in answer.json()["items"]]


@pytest.mark.usefixtures("town")
class TestSearchResidents:
    @pytest.mark.parametrize(
        ("q", "names", "by"),
        [
            ("王", ["王芳", "王芳芳"], "name"),
            ("芳", ["王芳", "王芳芳"], "name"),
            (" 王 芳 芳 ", ["王芳芳"], "name"),
            ("wf", ["王芳", "吴飞", "王芳芳"], "initials"),
            ("WF", ["王芳", "吴飞", "王芳芳"], "initials"),
            ("wangf", ["王芳", "王芳芳"], "pinyin"),
            ("wang fangfang", ["王芳芳"], "pinyin"),
            ("li'wei", ["李伟"], "pinyin"),
            ("泉景园3号楼2单元101室", ["王芳"], "address"),
            ("泉景园", ["李伟", "王芳", "王芳芳"], "address"),
            ("３-２-10", ["王芳", "王芳芳"], "address"),
            ("301", ["李伟"], "address"),
            ("前街5号", ["吴飞"], "address"),
            ("13800000002", ["王芳芳"], "phone"),
            ("0531-88880004", ["吴飞"], "phone"),
            (invented_id(3), ["李伟"], "id_number"),
            (invented_id(6), [], ""),
            ("1380000000", [], ""),
            ("%", [], ""),
            ("nobody", [], ""),
        ],
    )
    async def test_in_ones_own_community(self, call: Caller, q: str, names: list[str], by: str) -> None:
        assert sorted(await found(call, "committee", q)) == sorted((name, by) for name in names)

    async def test_the_surest_way_comes_first(self, call: Caller) -> None:
        by = [way for _, way in await found(call, "committee", "w")]
        assert by == ["initials"] * 3
        assert await found(call, "committee", "前") == [("吴飞", "address")]

    async def test_beyond_a_community_by_the_beginning(self, call: Caller) -> None:
        assert sorted(await found(call, "street", "王")) == [("王方", "name"), ("王芳", "name"), ("王芳芳", "name")]
        assert await found(call, "street", "芳") == []
        assert await found(call, "street", "杏林苑3-2") == [("王方", "address")]
        assert len(await found(call, "street", "wf")) == 4
        assert [name for name, _ in await found(call, "street", "王", area=B)] == ["王方"]

    async def test_district_and_city_find_a_number_and_see_masks(self, call: Caller) -> None:
        assert await found(call, "district", invented_id(1)) == [("王*", "id_number")]
        assert await found(call, "district", invented_id(6)) == []
        assert await found(call, "city", "13800000006") == [("王*", "phone")]
        assert await found(call, "city", "王芳", area=STREET) == [("王*", "name"), ("王**", "name")]

    @pytest.mark.parametrize("who", ["committee", "street", "district"])
    async def test_no_answer_holds_a_whole_number_or_birthday(self, call: Caller, who: str) -> None:
        answer = await call(who, "GET", "/residents", params={"q": invented_id(1)})
        (item,) = answer.json()["items"]
        assert item["id_masked"] == f"379999********{invented_id(1)[-4:]}"
        assert item["phone_masked"] == "138****0001"
        assert not {"birth_on", "id_number", "phone"} & set(item)
        assert invented_id(1) not in answer.text

    async def test_by_tag(self, call: Caller) -> None:
        assert await found(call, "street", "", tag="living_alone_elder") == [("王芳", "tag"), ("王方", "tag")]
        assert await found(call, "committee", "王", tag="living_alone_elder") == [("王芳", "name")]
        assert await found(call, "committee", "泉景", tag="tenant") == [("李伟", "address")]
        refused = await call("district", "GET", "/residents", params={"tag": "tenant"})
        assert (refused.status_code, refused.json()["code"]) == (422, "search_too_wide")
        empty = await call("committee", "GET", "/residents", params={"q": "  "})
        assert (empty.status_code, empty.json()["code"]) == (422, "search_empty")

    @pytest.mark.parametrize("q", ["王", "w", "wang", "泉景", "138000000010"])
    @pytest.mark.parametrize("who", ["committee", "street", "city"])
    async def test_pages_join_without_gap_or_repeat(self, call: Caller, who: str, q: str) -> None:
        whole = (await call(who, "GET", "/residents", params={"q": q})).json()["items"]
        pages: list[dict[str, Any]] = []
        params: dict[str, Any] = {"q": q, "limit": 1}
        for _ in range(20):
            page = (await call(who, "GET", "/residents", params=params)).json()
            pages += page["items"]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
        assert pages == whole
        assert len({item["id"] for item in whole}) == len(whole)

    @pytest.mark.parametrize(
        ("who", "area", "status"),
        [
            ("viewer", None, 403), ("worker", None, 403), ("client", None, 403), (None, None, 401),
            ("committee", B, 404), ("far_street", STREET, 404), ("district", CITY, 404), ("district", DISTRICT, 200),
        ],
    )  # fmt: skip
    async def test_it_is_for_desks_in_their_part(
        self, call: Caller, who: str | None, area: str | None, status: int
    ) -> None:
        params = {"q": "王"} | ({"area": area} if area else {})
        assert (await call(who, "GET", "/residents", params=params)).status_code == status

    @pytest.mark.parametrize("cursor", ["x", "WyJuYW1lIl0", "WyJuYW1lIiwiIiwiIiwieCIsIngiXQ"])
    async def test_a_cursor_of_somebody_elses_making_is_refused(self, call: Caller, cursor: str) -> None:
        answer = await call("committee", "GET", "/residents", params={"q": "王", "cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")

    async def test_a_changed_name_is_found_and_the_old_one_is_not(self, call: Caller) -> None:
        (item,) = (await call("committee", "GET", "/residents", params={"q": "李伟"})).json()["items"]
        changed = await call("committee", "PATCH", f"/residents/{item['id']}", json={"name": "赵敏"})
        assert changed.status_code == 200
        assert await found(call, "committee", "zhaom") == [("赵敏", "pinyin")]
        assert await found(call, "committee", "liw") == []


@pytest.mark.usefixtures("town")
class TestListHouseholds:
    @pytest.mark.parametrize(
        ("q", "heads"),
        [
            ("芳", ["王芳", "王芳芳"]), ("liwei", ["李伟"]), ("13800000003", ["李伟"]), (invented_id(4), ["吴飞"]),
            ("3号楼2单元", ["王芳", "王芳芳"]), ("泉景园12", ["李伟"]), ("wf", ["吴飞", "王芳", "王芳芳"]), ("x_%", []),
        ],
    )  # fmt: skip
    async def test_are_found_the_same_ways(self, call: Caller, q: str, heads: list[str]) -> None:
        answer = await call("committee", "GET", "/households", params={"community_code": A, "q": q})
        assert sorted(item["head_name"] for item in answer.json()["items"]) == sorted(heads)
