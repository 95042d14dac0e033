"""Many at once, on real connections: one owner, no place too many, no row missed, no tally off."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from app.audit import service as audit
from app.audit.service import SYSTEM
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people import service as people
from app.screening import service as screening
from tests.makers import (
    Home,
    care_visit,
    door_visit,
    make_area,
    make_homes,
    make_post,
    make_round,
    make_workers,
    push,
    stair_of,
)
from tests.personas import A, B, Caller

MANY = 50


async def count(database: Database, statement: str, **params: Any) -> int:
    """One number out of the database."""
    async with database.session(EVERYWHERE) as session:
        return int((await session.execute(text(statement), params)).scalar_one())


async def all_holds(database: Database) -> None:
    """Tallies equal their recounts and no chain of the trail is broken."""
    async with database.session(EVERYWHERE) as session:
        assert await people.find_tally_drift(session) == []
        assert await screening.find_tally_drift(session) == []
    assert (await audit.verify_chains(database))[1] == []


class TestClaimsAtOnce:
    async def test_fifty_claims_of_an_area_give_one_owner(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        area = await make_area(call, homes, None)
        names = await make_workers(database, call, MANY)
        path = f"/responsibility-areas/{area['id']}/claim"
        answers = await asyncio.gather(*(call(name, "POST", path) for name in names))
        assert Counter(a.status_code for a in answers) == {200: 1, 409: MANY - 1}
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"area_already_claimed"}
        (winner,) = [name for name, a in zip(names, answers, strict=True) if a.status_code == 200]
        shown = (await call("committee", "GET", f"/responsibility-areas/{area['id']}")).json()
        assert (shown["holder"]["id"], shown["epoch"]) == (str(call.personas[winner].id), 1)
        assert await count(database, "SELECT count(*) FROM assignment WHERE ended_at IS NULL") == 1
        held = await asyncio.gather(*(call(name, "GET", "/sync/areas") for name in names))
        assert [len(h.json()) for h in held] == [int(name == winner) for name in names]
        await all_holds(database)

    async def test_fifty_claims_of_three_places_give_three(self, call: Caller, database: Database) -> None:
        names = await make_workers(database, call, MANY)
        post = await make_post(call, wanted_count=3)
        path = f"/posts/{post['id']}/claim"
        answers = await asyncio.gather(*(call(name, "POST", path) for name in names))
        assert Counter(a.status_code for a in answers) == {200: 3, 409: MANY - 3}
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"post_full"}
        winners = {str(call.personas[n].id) for n, a in zip(names, answers, strict=True) if a.status_code == 200}
        shown = (await call("committee", "GET", f"/posts/{post['id']}")).json()
        assert (shown["claimed_count"], {c["account_id"] for c in shown["claimants"]}) == (3, winners)

    async def test_one_person_who_taps_often_claims_once(self, call: Caller, database: Database) -> None:
        post = await make_post(call, wanted_count=3)
        answers = await asyncio.gather(*(call("worker", "POST", f"/posts/{post['id']}/claim") for _ in range(10)))
        assert Counter(a.json().get("code") for a in answers) == {None: 1, "post_already_claimed": 9}
        assert (await call("worker", "GET", f"/posts/{post['id']}")).json()["claimed_count"] == 1

    async def test_an_area_is_not_given_to_anybody_once_it_is_dissolved(self, call: Caller, database: Database) -> None:
        """Whoever comes second to a dissolved area finds nothing, and no door stays behind in it."""
        for building in range(6):
            stair = stair_of(f"9{building}", "1", ["101", "102"])
            homes = (await make_homes(database, A, stair))[-2:]
            area = await make_area(call, homes[:1], None)
            path = f"/responsibility-areas/{area['id']}"
            more = {"add_dwelling_ids": [str(homes[1].dwelling_id)]}
            await asyncio.gather(
                call("committee", "DELETE", path),
                call("committee", "PATCH", path, json=more),
                call("committee", "POST", f"{path}/assign", json={"account_id": str(call.personas["worker"].id)}),
                call("worker2", "POST", f"{path}/claim"),
            )
        orphans = (
            "SELECT count(*) FROM dwelling d JOIN responsibility_area a ON a.id = d.responsibility_area_id "
            "WHERE a.is_removed"
        )
        assert await count(database, orphans) == 0
        held = "SELECT count(*) FROM responsibility_area WHERE is_removed AND holder_id IS NOT NULL"
        assert await count(database, held) == 0
        standing = (
            "SELECT count(*) FROM assignment s JOIN responsibility_area a ON a.id = s.area_id "
            "WHERE a.is_removed AND s.ended_at IS NULL"
        )
        assert await count(database, standing) == 0
        twice = "SELECT count(*) FROM (SELECT area_id, epoch FROM assignment GROUP BY 1, 2 HAVING count(*) > 1) x"
        assert await count(database, twice) == 0
        await all_holds(database)


class TestPushesAtOnce:
    async def test_fifty_sends_of_one_record_make_one_row(self, call: Caller, database: Database) -> None:
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        await make_area(call, [home], "worker")
        visit = door_visit(home, await make_round(call))
        answers = await asyncio.gather(*(push(call, "worker", visit) for _ in range(MANY)))
        assert {r["id"] for (r,) in answers} == {visit["id"]}
        assert Counter((r["status"], r["first_status"]) for (r,) in answers) == {
            ("accepted", None): 1,
            ("duplicate", "accepted"): MANY - 1,
        }
        assert {(r["code"], r["detail"]) for (r,) in answers} == {(None, None)}
        assert await count(database, "SELECT count(*) FROM door_visit") == 1
        assert await count(database, "SELECT sum(visit_count) FROM screening_tally") == 1
        assert (await call("worker", "GET", "/sync/status")).json()["confirmed_today"] == 1
        await all_holds(database)

    async def test_fifty_sends_of_an_impossible_record_are_all_refused_alike(
        self, call: Caller, database: Database
    ) -> None:
        (home,) = await make_homes(database, A, stair_of("3", "2", ["101"]))
        bad = door_visit(home, await make_round(call), "danced")
        answers = await asyncio.gather(*(push(call, "worker", bad) for _ in range(MANY)))
        assert {(r["status"], r["code"], r["detail"]) for (r,) in answers} == {("rejected", "shape_invalid", "outcome")}
        assert await count(database, "SELECT count(*) FROM sync_command") == 1

    async def test_the_same_records_in_other_batches_and_orders_count_once(
        self, call: Caller, database: Database
    ) -> None:
        """A phone's batches overlap when answers are lost: each has some of the others' records."""
        homes = await make_homes(database, A, stair_of("3", "2", [f"{f}01" for f in range(1, 9)]))
        round_id = await make_round(call)
        records = [door_visit(h, round_id) for h in homes] + [care_visit(h) for h in homes]
        batches = [records[n:] + records[:n] for n in range(0, 16, 2)]
        answers = await asyncio.gather(*(push(call, "committee", *batch) for batch in batches))
        firsts = Counter(r["id"] for results in answers for r in results if r["status"] == "accepted")
        assert firsts == Counter(r["id"] for r in records)
        assert await count(database, "SELECT count(*) FROM door_visit") == 8
        assert await count(database, "SELECT count(*) FROM care_visit") == 8
        await all_holds(database)


def shown_by(store: dict[str, dict[str, Any]], body: dict[str, Any]) -> None:
    """Put a pull into a phone's store: each household whole, by id."""
    if body["reset"]:
        store.clear()
    up = body["upserts"]
    fresh = [
        {"head": head, "note": note, "people": {}, "state": None, "care": None}
        for head, note in zip(up["households"]["h"], up["households"]["n"], strict=True)
    ]
    people_of = up["residents"]
    for id_, at, name in zip(people_of["i"], people_of["h"], people_of["n"], strict=True):
        fresh[at]["people"][id_] = {"name": name, "check": None}
    for at, outcome, attempts in zip(up["states"]["h"], up["states"]["o"], up["states"]["c"], strict=True):
        fresh[at]["state"] = (outcome, attempts)
    for person, status in zip(up["checks"]["r"], up["checks"]["s"], strict=True):
        fresh[people_of["h"][person]]["people"][people_of["i"][person]]["check"] = status
    for at, condition in zip(up["care"]["h"], up["care"]["l"], strict=True):
        fresh[at]["care"] = condition
    store.update(zip(up["households"]["i"], fresh, strict=True))
    for id_ in body["removed"]:
        store.pop(id_, None)


async def test_deltas_taken_during_running_writes_add_up_to_the_whole(call: Caller, database: Database) -> None:
    """Visits, care, corrections and people who move in, all at once, while two phones follow by version."""
    homes = await make_homes(database, A, stair_of("3", "2", [f"{f}0{d}" for f in range(1, 9) for d in (1, 2)]))
    area = await make_area(call, homes, "worker")
    round_id = await make_round(call)
    path = f"/sync/areas/{area['id']}"
    done = asyncio.Event()

    async def follow(store: dict[str, dict[str, Any]]) -> int:
        version, pulls = 0, 0
        while True:
            is_last = done.is_set()
            answer = await call("worker", "GET", path, params={"since": version})
            assert answer.status_code == 200, answer.text
            shown_by(store, answer.json())
            version, pulls = answer.json()["version"], pulls + 1
            if is_last:
                return pulls

    async def work(home: Home, n: int) -> None:
        await push(call, "worker", door_visit(home, round_id, "no_answer"))
        await call("committee", "PATCH", f"/households/{home.id}", json={"note": f"备注{n}"})
        await push(call, "worker", door_visit(home, round_id, recorded_at="2026-02-01T10:00:00+08:00"))
        await call("committee", "POST", f"/households/{home.id}/residents", json={"name": f"新人{n}"})
        await call("committee", "PATCH", f"/residents/{home.residents[0]}", json={"name": f"改名{n}"})
        await push(call, "worker", care_visit(home))

    stores: list[dict[str, dict[str, Any]]] = [{}, {}]
    followers = [asyncio.create_task(follow(store)) for store in stores]
    await asyncio.gather(*(work(home, n) for n, home in enumerate(homes)))
    done.set()
    pulls = await asyncio.gather(*followers)
    whole: dict[str, dict[str, Any]] = {}
    shown_by(whole, (await call("worker", "GET", path)).json())
    assert stores == [whole, whole]
    assert min(pulls) > 2
    one = whole[str(homes[0].id)]
    assert (one["note"], one["state"], one["care"]) == ("备注0", ("answered_part", 1), "well")
    assert sorted(str(p["check"]) for p in one["people"].values()) == ["None", "well", "well"]
    await all_holds(database)


async def test_tallies_equal_recounts_after_heavy_mixed_work(call: Caller, database: Database) -> None:
    """Visits, rosters that overlap, areas cut and dissolved, people who move in, in two communities at once."""
    rounds = [await make_round(call), await make_round(call, A, "committee")]
    here = await make_homes(database, A, stair_of("1", "1", [f"{f}0{d}" for f in range(1, 7) for d in (1, 2)]))
    there = await make_homes(database, B, stair_of("1", "1", ["101", "102"]))

    async def visit(n: int) -> None:
        home, round_id = here[n % len(here)], rounds[n % 2]
        outcome = ("answered_all", "no_answer", "refused", "vacant", "answered_part")[n % 5]
        await push(call, "committee", door_visit(home, round_id, outcome), care_visit(home))
        await push(call, "other_committee", door_visit(there[n % 2], rounds[0], outcome))

    async def load(n: int) -> None:
        doors = stair_of("2", str(n % 3), [f"{f}0{n % 4}" for f in range(1, 8)], persons=1 + n % 3)
        async with database.session(EVERYWHERE) as session:
            await registry.put_dwellings(session, SYSTEM, (A, B)[n % 2], doors)

    async def cut(n: int) -> None:
        homes = here[2 * (n % 6) : 2 * (n % 6) + 2]
        body = {"community_code": A, "name": f"第{n}片", "dwelling_ids": [str(h.dwelling_id) for h in homes]}
        made = await call("committee", "POST", "/responsibility-areas", json=body | {"is_open": True})
        if made.status_code == 409:
            return
        path = f"/responsibility-areas/{made.json()['id']}"
        await call("worker", "POST", f"{path}/claim")
        await call("committee", "PATCH", path, json={"remove_dwelling_ids": [str(homes[0].dwelling_id)]})
        if n % 2:
            await call("committee", "DELETE", path)

    async def move_in(n: int) -> None:
        home = here[n % len(here)]
        await call("committee", "POST", f"/households/{home.id}/residents", json={"name": f"新人{n}"})
        await call("committee", "POST", "/households", json={
            "community_code": A, "building": "7", "room": f"{n % 3 + 1}01", "residents": [{"name": f"户主{n}"}],
        })  # fmt: skip

    # a dozen at a time: more would wait for a connection rather than for one another
    hands = asyncio.Semaphore(12)

    async def one(do: Callable[[int], Awaitable[None]], n: int) -> None:
        async with hands:
            await do(n)

    await asyncio.gather(*(one(do, n) for n in range(24) for do in (visit, load, cut, move_in)))
    await all_holds(database)
    assert await count(database, "SELECT sum(visit_count) FROM screening_tally") == 48
