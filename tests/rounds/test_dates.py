"""Rounds that begin later: until their first day they are there for nobody to be worked on or counted by."""

from datetime import date, timedelta

from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, A, Caller


async def publish(call: Caller, starts_on: date) -> str:
    body = {"division_code": CITY, "title": "下月排查", "ends_on": (starts_on + timedelta(days=5)).isoformat()}
    cost = (await call("city", "POST", "/rounds/estimate", json={"division_code": CITY})).json()
    body |= {"starts_on": starts_on.isoformat(), "minutes": cost["minutes"]}
    answer = await call("city", "POST", "/rounds", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


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

    async with database.session(EVERYWHERE) as session:
        await session.execute(
            text("UPDATE screening_round SET starts_on = :d WHERE id = :id"), {"d": today(), "id": coming}
        )
    assert await coverage_round(call) == coming
    assert await screened(call) == 0
    assert await carried(call) == [running, coming]


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
