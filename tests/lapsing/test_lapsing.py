"""Tags and notes hold for a time after somebody has said them; of who has left, name and stays remain."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.audit.service import SYSTEM
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput
from app.privacy import retention
from app.residence import service as residence
from app.residence.models import ReasonOut
from tests.duplicates.pairs import door, id_of, person, present, register
from tests.makers import Home, care_visit, make_area, make_homes, push, stair_of
from tests.personas import A, Caller

YEAR = timedelta(days=365)
TAGS = ["living_alone_elder", "tenant"]


async def noted(call: Caller, database: Database, days_ago: int = 0) -> Home:
    """A household that is tagged and noted of, so many days ago."""
    (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
    body = {"tags": TAGS, "note": "耳背，敲门要重"}
    assert (await call("committee", "PATCH", f"/households/{home.id}", json=body)).is_success
    async with database.session(EVERYWHERE) as session:
        await session.execute(
            text("UPDATE field_change SET changed_at = changed_at - make_interval(days => :n)"), {"n": days_ago}
        )
    return home


async def lapsing(call: Caller, home: Home | None = None, who: str = "committee") -> list[dict[str, Any]]:
    """What lapses soon, or of one household."""
    params = {"community_code": A} | ({"household_id": str(home.id)} if home else {})
    answer = await call(who, "GET", "/lapsing", params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestLapsing:
    async def test_what_nobody_says_for_a_year_goes_and_phones_hear_of_it(
        self, call: Caller, database: Database
    ) -> None:
        home = await noted(call, database)
        area = await make_area(call, [home], "worker")
        path = f"/sync/areas/{area['id']}"
        first = (await call("worker", "GET", path)).json()
        assert first["upserts"]["households"]["t"] == [TAGS]
        last = (today() + YEAR - timedelta(days=1)).isoformat()
        (read,) = await lapsing(call, home)
        assert (read["tags"], read["tags_until"], read["note_until"]) == (["living_alone_elder"], last, last)
        assert await lapsing(call) == []  # a year is not soon
        assert await retention.run_retention(database, today() + YEAR - timedelta(days=1)) == []

        done = await retention.run_retention(database, today() + YEAR)
        assert {(one.kind.value, one.count) for one in done} == {("tags", 1), ("notes", 1)}
        left = (await call("committee", "GET", f"/households/{home.id}")).json()
        assert (left["tags"], left["note"]) == (["tenant"], None)
        then = (await call("worker", "GET", path, params={"since": first["version"]})).json()
        assert then["upserts"]["households"]["t"] == [["tenant"]]
        records = (await call("committee", "GET", "/deletions", params={"community_code": A})).json()["items"]
        assert {one["kind"]: (one["deleted_count"], one["days"]) for one in records} == {
            "tags": (1, 365), "notes": (1, 365),
        }  # fmt: skip
        assert await retention.run_retention(database, today() + YEAR) == []
        assert await lapsing(call, home) == []

    async def test_the_committee_reads_of_it_before_and_says_what_still_holds(
        self, call: Caller, database: Database
    ) -> None:
        home = await noted(call, database, days_ago=320)
        (read,) = await lapsing(call)
        soon = (today() + timedelta(days=44)).isoformat()
        assert (read["tags_until"], read["note"], read["note_until"]) == (soon, "耳背，敲门要重", soon)
        path = f"/households/{home.id}/say-again"
        for who, status in {"other_committee": 404, "worker": 403}.items():
            assert (await call(who, "POST", path, json={"facts": ["tags"]})).status_code == status, who
        said = (await call("committee", "POST", path, json={"facts": ["tags"]})).json()
        year = (today() + YEAR - timedelta(days=1)).isoformat()
        assert (said["tags_until"], said["note_until"]) == (year, soon)
        done = await retention.run_retention(database, today() + timedelta(days=45))
        assert [one.kind.value for one in done] == ["notes"]
        assert (await call("committee", "GET", f"/households/{home.id}")).json()["tags"] == TAGS

    async def test_a_newer_roster_and_a_care_visit_say_it_too(self, call: Caller, database: Database) -> None:
        home = await noted(call, database, days_ago=320)
        listed = HouseholdInput(tags=TAGS, id=home.id)
        async with database.session(EVERYWHERE) as session:
            counts = await registry.put_dwellings(
                session, SYSTEM, A, [DwellingInput(building="3", stair="2", floor=1, room="101", households=[listed])],
                as_of=now() - timedelta(days=10),
            )  # fmt: skip
        assert (counts.version, counts.kept) == (0, 0)  # nothing has changed
        (read,) = await lapsing(call, home)
        day = today() + YEAR - timedelta(days=11)
        assert read["tags_until"] == day.isoformat()
        assert read["note_until"] == (today() + timedelta(days=44)).isoformat()
        await push(call, "committee", care_visit(home, condition="well"))
        (read,) = await lapsing(call, home)
        assert read["tags_until"] == (today() + YEAR - timedelta(days=1)).isoformat()

    async def test_of_who_has_left_long_ago_name_and_stays_remain(self, call: Caller, database: Database) -> None:
        one = person(
            "赵一同", number=id_of(today().replace(year=1980, day=1), 101), phone="13800000001", tags=["disabled"]
        )
        stays = person("钱二", number=id_of(today().replace(year=1981, day=1), 102))
        await register(database, door("101", one, stays))
        async with database.session(EVERYWHERE) as session:
            change = residence.PlaceChange(UUID(str(one.id)), today(), reason_out=ReasonOut.MOVED_AWAY)
            assert (await residence.change_places(session, SYSTEM, A, [change]))[change.id] is None
        await retention.run_retention(database, today() + timedelta(days=729))
        assert (await present(database, str(one.id)))["id_sealed"] is not None
        done = await retention.run_retention(database, today() + timedelta(days=730))
        assert [(deleted.kind.value, deleted.count) for deleted in done] == [("departed", 1)]
        row = await present(database, str(one.id))
        assert [row[k] for k in ("name", "id_sealed", "id_index", "phone_sealed", "tags")] == [
            "赵一同", None, None, None, [],
        ]  # fmt: skip
        assert (await present(database, str(stays.id)))["id_sealed"] is not None
        log = await call("committee", "GET", f"/residents/{one.id}/residences")
        assert [stay["ended_on"] for stay in log.json()["items"]] == [today().isoformat()]
