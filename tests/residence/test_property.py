"""Whatever desks and phones do with people, in whatever order: everybody is in one place, and every figure is right."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from tests.makers import Home, command, door_visit, make_area, make_round, push
from tests.personas import A, B, Caller
from tests.residence.households import assert_sound, post, stair

number = st.integers(0, 30)
doings = st.lists(
    st.tuples(
        st.sampled_from([
            "move", "move", "new_door", "split", "merge", "leave", "return", "mistake", "born", "gone", "found",
            "visit", "no_answer", "old_visit", "send", "carry_over",
        ]),
        number, number, number,
    ),
    min_size=4, max_size=14,
)  # fmt: skip


class World:
    """A community in which things happen; what is not possible at the moment is refused, and that is all."""

    def __init__(self, call: Caller, database: Database, round_id: str) -> None:
        self.call = call
        self.database = database
        self.round_id = round_id
        self.old: list[Home] = []
        self.rooms = 0

    async def rows(self, query: str) -> list[Any]:
        async with self.database.session(EVERYWHERE) as session:
            return list((await session.execute(text(query), {"a": A, "b": B})).all())

    async def homes(self, code: str = "a") -> list[Home]:
        rows = await self.rows(f"""
            SELECT h.id, h.dwelling_id, array_agg(r.id ORDER BY r.id) FILTER (WHERE NOT r.is_gone) AS members
            FROM household h LEFT JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id
            WHERE h.community_code = :{code} AND NOT h.is_closed GROUP BY 1, 2 ORDER BY 1
        """)
        return [Home(row[0], row[1], "", row[2] or []) for row in rows]

    async def happen(self, what: str, a: int, b: int, c: int) -> None:
        homes = await self.homes()
        home, other = homes[a % len(homes)], homes[b % len(homes)]
        who = [str(one) for one in home.residents[: c % 3 + 1]]
        person = who[c % len(who)] if who else None
        on = (today() - timedelta(days=c % 3)).isoformat()
        body: dict[str, Any] = {"on": on} if c % 2 else {}
        match what:
            case "move" if who:
                await self.desk(f"/households/{home.id}/move", resident_ids=who, household_id=str(other.id), **body)
            case "new_door" if who:
                self.rooms += 1
                door = {"building": "7", "room": str(100 + self.rooms)}
                await self.desk(
                    f"/households/{home.id}/move", resident_ids=who, door=door, keeps_registration=bool(b % 2)
                )
            case "split" if who:
                await self.desk(f"/households/{home.id}/split", resident_ids=who, **body)
            case "merge":
                await self.desk(f"/households/{home.id}/merge", into_household_id=str(other.id), **body)
            case "leave" if who:
                reason = ("died", "moved_away", "not_living_here")[b % 3]
                await self.desk(f"/households/{home.id}/leave", resident_ids=who, reason=reason,
                                keeps_registration=bool(c % 2), **body)  # fmt: skip
            case "return" | "mistake":
                gone = await self.rows("SELECT id FROM resident WHERE community_code = :a AND is_gone ORDER BY id")
                if gone:
                    target = {"household_id": str(other.id)} if what == "return" and b % 2 else {}
                    await self.desk(
                        f"/residents/{gone[a % len(gone)].id}/return", was_mistake=what == "mistake", **target
                    )
            case "born":
                await self.desk(f"/households/{home.id}/arrivals", person={"name": f"小{a}{b}"}, reason="born", **body)
            case "send" if who:
                await self.desk(f"/households/{home.id}/send", resident_ids=who, community_code=B)
            case "carry_over" if person:
                theirs = await self.homes("b")
                await self.desk(f"/residents/{person}/move", "street", household_id=str(theirs[b % len(theirs)].id))
            case _:
                await self.phone(what, home, person, a)

    async def phone(self, what: str, home: Home, person: str | None, a: int) -> None:
        if what == "gone" and person:
            payload = {"household_id": str(home.id), "resident_id": person, "reason": "died", "on": "2026-01-01"}
            await self.push(self.command("people.mark_resident_gone", payload))
        elif what == "found":
            people = [{"id": str(new_id()), "name": f"新{a}"}]
            payload = {"household_id": str(new_id()), "dwelling_id": str(home.dwelling_id), "residents": people}
            await self.push(self.command("people.add_household", payload))
        elif what == "visit":
            self.old.append(home)
            some = home.residents[: a % 4] if a % 2 else home.residents
            outcome = "answered_all" if len(some) == len(home.residents) else "answered_part"
            persons = [{"resident_id": str(one), "status": ("well", "symptoms", "away")[a % 3]} for one in some]
            await self.push(door_visit(home, self.round_id, outcome, persons=persons))
        elif what == "no_answer":
            await self.push(door_visit(home, self.round_id, "no_answer"))
        elif what == "old_visit" and self.old:
            # recorded offline about a household as it was then
            then = self.old[a % len(self.old)]
            await self.push(door_visit(then, self.round_id, recorded_at="2026-01-31T10:00:00+08:00"))

    @staticmethod
    def command(name: str, payload: dict[str, Any]) -> dict[str, Any]:
        return command(name, payload, recorded_at=now().isoformat(), community_code=A)

    async def push(self, one: dict[str, Any]) -> None:
        (result,) = await push(self.call, "worker", one)
        assert result["status"] in ("accepted", "flagged"), (one, result)

    async def desk(self, path: str, who: str = "committee", **body: Any) -> None:
        answer = await post(self.call, path, who, **body)
        assert answer.status_code in (200, 201, 409, 422), answer.text
        if answer.status_code == 422:
            assert answer.json()["code"] in (
                "date_before_start", "same_household", "split_all", "not_a_member",
            ), answer.text  # fmt: skip


@settings(max_examples=8, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(days=doings)
async def test_everybody_is_in_one_place_and_every_figure_is_right(
    call: Caller, database: Database, days: list[tuple[str, int, int, int]]
) -> None:
    world = await begin(call, database)
    for doing in days:
        await world.happen(*doing)
    await assert_sound(database)
    total = (await call("committee", "GET", "/coverage", params={"area": A, "round": world.round_id})).json()["total"]
    alive = await world.rows("SELECT count(*) FROM resident WHERE community_code = :a AND NOT is_gone")
    assert total["persons"] == alive[0][0]
    assert total["persons_done"] <= total["persons"]
    assert total["households_done"] <= total["households"]


async def begin(call: Caller, database: Database) -> World:
    """The community as the examples before have left it; the first finds three households, one area and a round."""
    world = World(call, database, "")
    if not await world.homes():
        homes = await stair(database)
        await make_area(call, homes, "worker")
        await stair(database, B)
    world.round_id = await make_round(call)
    world.rooms = len(await world.rows("SELECT 1 FROM dwelling WHERE community_code = :a"))
    return world
