"""Merges, undos and knocks in any order: the tallies equal their recount at every step, and all comes apart again."""

from random import Random
from typing import Any

import pytest

from app.core.db import Database
from tests.duplicates.pairs import differences, door, listed, person, post, register, rows_of, search
from tests.duplicates.test_merging import cared, drift, knock
from tests.makers import make_round, push
from tests.personas import Caller

STEPS = 24
REGISTRY = ("resident", "household", "dwelling", "clock")


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_figures_hold_and_the_registry_comes_back(call: Caller, database: Database, seed: int) -> None:
    random = Random(seed)
    people = [person(f"何{n % 3}甲", phone=f"1380000{n:04d}") for n in range(9)]
    others = [person(f"何{n}乙", None, sex=2) for n in range(6)]
    doors = [door(f"{n + 1}01", one, *others[n : n + 1]) for n, one in enumerate(people)]
    await register(database, *doors)
    rounds = [await make_round(call), await make_round(call)]
    await search(database)
    start = await rows_of(database)
    merges: list[str] = []

    def a_knock() -> dict[str, Any]:
        behind = random.choice(doors).households[0]
        said = {str(one.id): random.choice(("well", "symptoms", "away", "unknown")) for one in behind.persons}
        at = f"2026-02-{random.randint(1, 20):02d}T09:00:00+08:00"
        outcome = random.choice(("answered_all", "answered_part", "no_answer"))
        return knock(
            str(behind.id), random.choice(rounds), {} if outcome == "no_answer" else said, outcome, recorded_at=at
        )

    for _ in range(STEPS):
        what = random.choice(("knock", "knock", "care", "merge", "undo"))
        pairs = await listed(call) if what == "merge" else []
        if what == "merge" and pairs:
            pair = random.choice(pairs)
            side = random.choice(pair["sides"])
            kept = side["person"]["resident_id"] if side["person"] else side["household"]["household_id"]
            body: dict[str, Any] = {"keep": kept}
            if pair["kind"] == "household":
                body["persons"] = [{"keep": one["one"], "gone": one["other"]} for one in pair["members"]]
            merges.append((await post(call, f"/duplicates/{pair['id']}/merge", body))["id"])
        elif what == "undo" and merges:
            await post(call, f"/merges/{merges.pop()}/undo")
        elif what == "care":
            behind = random.choice(doors).households[0]
            (result,) = await push(call, "committee", cared(str(behind.id), str(behind.persons[0].id)))
            assert result["status"] == "accepted", result
        else:
            (result,) = await push(call, "committee", a_knock())
            assert result["status"] == "accepted", result
        assert await drift(database) == [], what
    while merges:
        await post(call, f"/merges/{merges.pop()}/undo")
        assert await drift(database) == []
    end = await rows_of(database)
    assert differences({k: start[k] for k in REGISTRY}, end) == []
    # every knock and visit is with the id it was given for, as if nothing had ever been merged
    homes = {str(one.households[0].id): {str(p.id) for p in one.households[0].persons} for one in doors}
    for visit in end["door_visit"]:
        assert visit["given_household_id"] is None
        assert {p["resident_id"] for p in visit["persons"]} <= homes[str(visit["household_id"])]
        assert not any("given_id" in p for p in visit["persons"])
    for visit in end["care_visit"]:
        assert (visit["given_household_id"], visit["given_resident_id"]) == (None, None)
        assert str(visit["resident_id"]) in homes[str(visit["household_id"])]
