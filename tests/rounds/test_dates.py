"""Rounds that begin later: until their first day they are there for nobody to be worked on or counted by. And other
dates for a round that is published."""

from datetime import date, timedelta
from typing import Any

import pytest
from httpx import Response

from app.core.clock import now, today
from app.core.db import Database
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, A, Caller


async def publish(call: Caller, starts_on: date, **more: str) -> str:
    ends_on = (starts_on + timedelta(days=5)).isoformat()
    body: dict[str, Any] = {"division_code": CITY, "title": "下月排查", "ends_on": ends_on} | more
    cost = (await call("city", "POST", "/rounds/estimate", json={"division_code": CITY})).json()
    body |= {"starts_on": starts_on.isoformat(), "minutes": cost["minutes"]}
    answer = await call("city", "POST", "/rounds", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def correct(call: Caller, round_id: str, who: str = "city", **dates: date) -> Response:
    """Other dates for a round; all else as it is."""
    found = (await call(who, "GET", f"/rounds/{round_id}")).json()
    kept = {name: found[name] for name in ("title", "note", "rhythm", "target", "tags", "standard", "questions")}
    days = {name: (dates.get(name) or found[name]) for name in ("starts_on", "ends_on")}
    return await call(who, "PUT", f"/rounds/{round_id}", json=kept | {name: str(day) for name, day in days.items()})


async def carried(call: Caller) -> list[str]:
    """The rounds that the worker's phone is given."""
    (area,) = (await call("worker", "GET", "/sync/areas")).json()
    return [one["id"] for one in area["rounds"]]


async def coverage_round(call: Caller) -> str:
    return str((await call("committee", "GET", "/coverage", params={"area": A})).json()["round"]["id"])


async def screened(call: Caller) -> int:
    (item,) = (await call("committee", "GET", "/headcounts", params={"area": A, "level": "community"})).json()["items"]
    return int(item["screened"])


async def worked_town(call: Caller, database: Database) -> tuple[list[Home], str]:
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    await make_area(call, homes, "worker")
    running = await make_round(call)
    await push(call, "worker", door_visit(homes[0], running))
    return homes, running


async def test_it_counts_from_its_first_day(call: Caller, database: Database) -> None:
    homes, running = await worked_town(call, database)
    coming = await publish(call, today() + timedelta(days=20))
    assert await coverage_round(call) == running
    assert await screened(call) == len(homes[0].residents)
    assert await carried(call) == [running]

    answer = await correct(call, coming, starts_on=today(), ends_on=today() + timedelta(days=2))
    assert answer.status_code == 200, answer.text
    assert await coverage_round(call) == coming
    assert await screened(call) == 0
    assert await carried(call) == [running, coming]
    trail = (await call("city", "GET", "/audit-entries", params={"community_code": CITY})).json()["items"]
    assert (trail[0]["action"], trail[0]["actor_name"]) == ("update_round", "city 某")


async def test_a_phone_has_it_three_days_ahead(call: Caller, database: Database) -> None:
    _, running = await worked_town(call, database)
    soon = await publish(call, today() + timedelta(days=3))
    await publish(call, today() + timedelta(days=4))
    assert await carried(call) == [running, soon]


async def test_a_visit_before_its_first_day_is_flagged(call: Caller, database: Database) -> None:
    homes, _ = await worked_town(call, database)
    tomorrow = today() + timedelta(days=1)
    coming = await publish(call, tomorrow)
    (early,) = await push(call, "worker", door_visit(homes[1], coming, recorded_at=now().isoformat()))
    assert (early["status"], early["code"]) == ("flagged", "round_not_begun")
    # to the minute, by the clock of Shanghai
    began = await publish(call, today())
    before, after = (
        f"{day.isoformat()}T{at}:00+08:00" for day, at in ((today() - timedelta(1), "23:59"), (today(), "00:00"))
    )
    first, second = await push(
        call, "worker", door_visit(homes[0], began, recorded_at=before), door_visit(homes[1], began, recorded_at=after)
    )
    assert (first["code"], second["code"]) == ("round_not_begun", None)


class TestCorrectDates:
    async def test_phones_follow_to_another_first_and_last_day(self, call: Caller, database: Database) -> None:
        _, running = await worked_town(call, database)
        coming = await publish(call, today() + timedelta(days=2))
        later = {"starts_on": today() + timedelta(days=9), "ends_on": today() + timedelta(days=20)}
        assert (await correct(call, coming, **later)).status_code == 200
        assert await carried(call) == [running]
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        assert (await correct(call, running, who="city", ends_on=today() + timedelta(days=30))).status_code == 200
        (after,) = (await call("worker", "GET", "/sync/areas")).json()
        assert after["rounds"][0] == area["rounds"][0] | {"ends_on": str(today() + timedelta(days=30))}

    @pytest.mark.parametrize(
        ("begins", "dates", "answer"),
        [
            (0, {"starts_on": 1}, (409, "round_running", None)),
            (0, {"ends_on": -1}, (422, "round_dates", "ends_on")),
            (3, {"starts_on": -1}, (422, "round_dates", "starts_on")),
            (3, {"ends_on": 2}, (422, "round_dates", "ends_on")),
        ],
    )
    async def test_days_that_are_over_stay(
        self, call: Caller, begins: int, dates: dict[str, int], answer: tuple[int, str, str | None]
    ) -> None:
        round_id = await publish(call, today() + timedelta(days=begins))
        refused = await correct(call, round_id, **{k: today() + timedelta(days=n) for k, n in dates.items()})
        fields = [one["field"] for one in refused.json().get("errors", [])]
        assert (refused.status_code, refused.json()["code"], next(iter(fields), None)) == answer

    async def test_of_a_daily_round_days_come_and_go(self, call: Caller) -> None:
        first = today() + timedelta(days=2)
        whole = await publish(call, first, rhythm="daily")

        async def days(status: str = "open") -> list[int]:
            found = await call("city", "GET", "/rounds", params={"days_of": whole, "status": status})
            return sorted((date.fromisoformat(one["starts_on"]) - today()).days for one in found.json()["items"])

        assert await days() == [2, 3, 4, 5, 6, 7]
        assert await correct(call, whole, starts_on=first + timedelta(days=2), ends_on=today() + timedelta(days=8))
        assert (await days(), await days("closed")) == ([4, 5, 6, 7, 8], [2, 3])
        assert await correct(call, whole, starts_on=today(), ends_on=today() + timedelta(days=4))
        assert (await days(), await days("closed")) == ([0, 1, 2, 3, 4], [5, 6, 7, 8])

    async def test_is_for_who_may_correct_the_round(self, call: Caller) -> None:
        coming = await publish(call, today() + timedelta(days=5))
        assert (await correct(call, coming, who="committee", starts_on=today())).status_code == 404
