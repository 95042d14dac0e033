"""A person who stands in two communities: each side is told of the other's name and of nothing else."""

import asyncio
from typing import Any

from app.core.db import Database
from tests.duplicates.pairs import BORN, door, id_of, listed, person, post, present, register, search
from tests.personas import STREET, A, B, Caller

NUMBER = id_of(BORN, 77)


async def both(database: Database) -> tuple[str, str]:
    """The same document in A and in B, under two names; answers the persons' ids."""
    here, there = person("韩此处", number=NUMBER, phone="13800000001"), person("韩彼处", number=NUMBER)
    await register(database, door("101", here))
    await register(database, door("888", there), community=B)
    await search(database)
    return str(here.id), str(there.id)


async def told(call: Caller, who: str, area: str, answer: str | None, **params: Any) -> dict[str, Any]:
    """The pair as one side reads it, once the other side's answer has come over."""
    for _ in range(1_200):
        (one,) = await listed(call, who, area, **params) or [{"elsewhere": {"answer": "-"}}]
        if one["elsewhere"]["answer"] == answer:
            return one
        await asyncio.sleep(0.05)
    raise AssertionError(f"{who} was not told {answer}")


async def test_neither_side_sees_the_other(call: Caller, database: Database) -> None:
    here, there = await both(database)
    for who, area, own, other, other_name, name in (
        ("committee", A, here, there, "乙社区", "韩彼处"), ("other_committee", B, there, here, "甲社区", "韩此处"),
    ):  # fmt: skip
        answer = await call(who, "GET", "/duplicates", params={"area": area})
        (one,) = answer.json()["items"]
        assert (one["kind"], one["reasons"]) == ("elsewhere", ["same_id"])
        assert one["elsewhere"]["community_name"] == other_name
        assert [side["person"]["resident_id"] for side in one["sides"]] == [own]
        again = await call(who, "GET", f"/duplicates/{one['id']}")
        log = await call(who, "GET", f"/residents/{own}/access-log")
        for leaf in (answer, again, log):
            assert not any(word in leaf.text for word in (other, name, NUMBER, "888" if area == A else "101室"))
        # merging would bring them into one hand
        refused = await call(who, "POST", f"/duplicates/{one['id']}/merge", json={"keep": own})
        assert (refused.status_code, refused.json()["code"]) == (422, "duplicate_elsewhere")
        body = {"answers": [{"community_code": B if area == A else A, "answer": "moved_away"}]}
        assert (await call(who, "POST", f"/duplicates/{one['id']}/settle", json=body)).status_code == 404
    assert (await call("far_committee", "GET", "/duplicates", params={"area": A})).status_code == 404


async def test_each_side_answers_for_its_own(call: Caller, database: Database) -> None:
    here, there = await both(database)
    (one,) = await listed(call)
    path = f"/duplicates/{one['id']}/settle"
    said = await post(call, path, {"answers": [{"community_code": A, "answer": "lives_here"}]})
    assert (said["status"], said["answer"]) == ("answered", "lives_here")
    theirs = await told(call, "other_committee", B, "lives_here")
    assert theirs["elsewhere"] == {"community_code": A, "community_name": "甲社区", "answer": "lives_here"}
    done = await post(call, path, {"answers": [{"community_code": B, "answer": "registered_only"}]}, "other_committee")
    assert done["status"] == "settled"
    await told(call, "committee", A, "registered_only", status="settled")
    assert ((await present(database, here))["is_gone"], (await present(database, there))["is_gone"]) == (False, True)
    await search(database, full=True)
    assert await listed(call) == []
    twice = await call("committee", "POST", path, json={"answers": [{"community_code": A, "answer": "moved_away"}]})
    assert (twice.status_code, twice.json()["code"]) == (409, "duplicate_decided")


async def test_both_say_they_live_there_and_the_street_decides(call: Caller, database: Database) -> None:
    here, there = await both(database)
    (one,) = await listed(call)
    path = f"/duplicates/{one['id']}/settle"
    await post(call, path, {"answers": [{"community_code": A, "answer": "lives_here"}]})
    await post(call, path, {"answers": [{"community_code": B, "answer": "lives_here"}]}, "other_committee")
    (seen,) = await listed(call, "street", STREET, status="answered")
    assert {side["person"]["resident_id"] for side in seen["sides"]} == {here, there}
    assert NUMBER not in str(seen)
    two = [{"community_code": A, "answer": "lives_here"}, {"community_code": B, "answer": "lives_here"}]
    wrong = await call("street", "POST", path, json={"answers": two})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "answers_contradict")
    two[1]["answer"] = "moved_away"
    settled = await post(call, path, {"answers": two}, "street")
    assert settled["status"] == "settled"
    assert (await present(database, there))["is_gone"] is True
    assert await listed(call, "street", STREET, status="answered") == []
    for community, who in ((A, "committee"), (B, "other_committee")):
        entries = (await call(who, "GET", "/audit-entries", params={"community_code": community})).json()["items"]
        assert entries[0]["action"] == "settle_duplicate"


async def test_another_person_with_a_wrong_number(call: Caller, database: Database) -> None:
    await both(database)
    (one,) = await listed(call)
    await post(call, f"/duplicates/{one['id']}/dismiss", {"reason": "号码抄错,已核对证件"})
    theirs = await told(call, "other_committee", B, "not_same")
    assert "号码抄错" not in str(theirs)
    await search(database, full=True)
    assert await listed(call) == []
    await post(call, f"/duplicates/{one['id']}/reopen")
    await told(call, "other_committee", B, None)
