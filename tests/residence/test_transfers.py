"""From one community to another: sent and accepted, declined, taken back, or moved in one step by a street."""

from typing import Any

from app.core.db import Database
from tests.makers import invented_id
from tests.personas import A, B, C, Caller
from tests.residence.households import assert_sound, done, members, post, read, stair


async def sent(call: Caller, database: Database, to: str = B, **body: Any) -> tuple[str, dict[str, Any]]:
    """Somebody with an ID number has been sent from A; their id there, and the transfer."""
    (one, *_) = await stair(database)
    person = {"name": "丁某", "id_kind": "resident_id", "id_number": invented_id(3), "birth_on": "1943-04-04"}
    made = await done(call, f"/households/{one.id}/arrivals", person=person, reason="found")
    body = {"resident_ids": [made["id"]], "community_code": to, "place": "3号楼"} | body
    (transfer,) = (await done(call, f"/households/{one.id}/send", **body))["items"]
    return made["id"], transfer


class TestSendAndAccept:
    async def test_the_receiving_committee_accepts_and_each_sees_its_side(
        self, call: Caller, database: Database
    ) -> None:
        homes = await stair(database, B)
        person, transfer = await sent(call, database, keeps_registration=True)
        assert (await read(call, "/transfers", community_code=B, who="other_committee"))["items"] == [transfer]
        assert (transfer["name"], transfer["id_masked"]) == ("丁某", "379999********" + invented_id(3)[-4:])
        new = await done(call, f"/transfers/{transfer['id']}/accept", "other_committee", household_id=str(homes[0].id))
        assert (new["name"], new["birth_year"], new["id_masked"]) == ("丁某", 1943, transfer["id_masked"])
        assert (await read(call, "/transfers", community_code=B, who="other_committee"))["items"] == []
        theirs = (await read(call, f"/residents/{new['id']}/residences", "other_committee"))["items"]
        assert [(s["kind"], s["from_community_name"] or s["to_community_name"], s["address"]) for s in theirs] == [
            ("registered_elsewhere", "甲社区", "3号楼 2单元 101"), ("lives_here", "甲社区", "3号楼 2单元 101"),
        ] or [s["kind"] for s in theirs] == ["lives_here", "registered_elsewhere"]  # fmt: skip
        ours = (await read(call, f"/residents/{person}/residences"))["items"]
        assert {(s["kind"], s["transfer_status"], s["to_community_name"]) for s in ours} == {
            ("lives_here", "accepted", "乙社区"), ("registered_here", None, None),
        }  # fmt: skip
        # who has a desk over both reads both
        both = (await read(call, f"/residents/{person}/residences", "street"))["items"]
        assert {s["community_name"] for s in both} == {"甲社区", "乙社区"}
        answer = await post(call, f"/residents/{person}/return")
        assert (answer.status_code, answer.json()["code"]) == (409, "accepted_elsewhere")
        await assert_sound(database)

    async def test_what_was_sent_is_not_kept_once_decided(self, call: Caller, database: Database) -> None:
        _, transfer = await sent(call, database)
        answer = await post(call, f"/transfers/{transfer['id']}/decline", "other_committee", reason="查无此人")
        assert answer.status_code == 204
        (told,) = (await read(call, "/transfers", "other_committee", community_code=B, status="declined"))["items"]
        assert (told["name"], told["id_masked"], told["reason"]) == (None, None, "查无此人")
        answer = await post(call, f"/transfers/{transfer['id']}/accept", "other_committee", door={"address": "一号"})
        assert (answer.status_code, answer.json()["code"]) == (409, "transfer_decided")
        await assert_sound(database)

    async def test_who_returns_before_is_expected_no_more(self, call: Caller, database: Database) -> None:
        person, transfer = await sent(call, database, to=C)
        await done(call, f"/residents/{person}/return", was_mistake=True)
        assert (await read(call, "/transfers", "far_committee", community_code=C))["items"] == []
        answer = await post(call, f"/transfers/{transfer['id']}/accept", "far_committee", door={"address": "一号"})
        assert answer.json()["code"] == "transfer_decided"
        await assert_sound(database)

    async def test_who_comes_back_is_the_same_person_and_who_is_here_is_not_here_twice(
        self, call: Caller, database: Database
    ) -> None:
        person, there = await sent(call, database)
        new = await done(
            call, f"/transfers/{there['id']}/accept", "other_committee", door={"building": "5", "room": "101"}
        )
        body = {"resident_ids": [new["id"]], "community_code": A}
        (back,) = (await done(call, f"/households/{new['household_id']}/send", "other_committee", **body))["items"]
        again = await done(call, f"/transfers/{back['id']}/accept", door={"building": "6", "room": "101"})
        assert again["id"] == person
        await assert_sound(database)
        (one, *_) = await stair(database, C)
        same = {"name": "丁某", "id_kind": "resident_id", "id_number": invented_id(3)}
        await done(call, f"/households/{one.id}/arrivals", "far_committee", person=same, reason="found")
        found = (await read(call, f"/households/{one.id}/residents", "far_committee"))["items"]
        (twin,) = [p for p in found if p["name"] == "丁某"]
        body = {"resident_ids": [twin["id"]], "community_code": A}
        (third,) = (await done(call, f"/households/{one.id}/send", "far_committee", **body))["items"]
        answer = await post(call, f"/transfers/{third['id']}/accept", door={"building": "6", "room": "102"})
        assert (answer.status_code, answer.json()["code"]) == (409, "person_here")
        await assert_sound(database)

    async def test_a_street_moves_people_between_its_communities_in_one_step(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_), (other, *_) = await stair(database), await stair(database, B)
        path = f"/residents/{one.residents[0]}/move"
        new = await done(call, path, "street", household_id=str(other.id), relation="父亲")
        assert (new["household_id"], new["relation"]) == (str(other.id), "父亲")
        assert len(await members(call, one.id)) == 2
        stays = (await read(call, f"/residents/{new['id']}/residences", "street"))["items"]
        assert [(s["community_name"], s["ended_on"] is None) for s in stays] == [("乙社区", True), ("甲社区", False)]
        await assert_sound(database)

    async def test_a_committee_finds_the_other_community_by_its_name(self, call: Caller, database: Database) -> None:
        items = (await read(call, "/transfers/destinations", name="乙"))["items"]
        assert items == [{"code": B, "name": "乙社区", "town": "花园街道", "district": "东区"}]
        assert (await read(call, "/transfers/destinations", name="甲社区"))["items"] == []

    async def test_people_are_sent_to_communities_that_exist_and_not_to_their_own(
        self, call: Caller, database: Database
    ) -> None:
        (one, *_) = await stair(database)
        for code, problem in ((A, "same_community"), ("990101001009", "community_unknown")):
            body = {"resident_ids": [str(one.residents[0])], "community_code": code}
            answer = await post(call, f"/households/{one.id}/send", **body)
            assert (answer.status_code, answer.json()["code"]) == (422, problem)
