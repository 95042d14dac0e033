"""Phones that work over a bad network, are killed, run full, go wrong by a day and are revoked, and see their areas
re-cut and handed over, while people and households are found and leave, the same facts are corrected and the committee
judges what is flagged: in the end all agree, and every command counts once.

The phones are the real engine in Node, the service is a real one on a port. Each example is a day: a list of
doings drawn by hypothesis, then the network heals. What must have come of it is worked out here anew, from the
list of what was recorded, and compared with the rows, the tallies, the trail, and what each phone shows.

More days: `pytest --hypothesis-profile=long`. With `CI` set the days are always the same; otherwise a day that
fails is printed with the line that brings it back.
"""

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.audit import service as audit
from app.core.db import EVERYWHERE, Database
from app.people import service as people
from app.screening import service as screening
from tests.makers import Home, make_area, make_homes, make_round, stair_of
from tests.personas import PASSWORD, PERSONAS, A, Caller
from tests.sync.phones import PhoneError, Phones, serving

HOLDERS = {"p1": "worker", "p2": "worker2", "p3": "worker"}
"""Who carries which phone: one person has two of them."""
ROOMS = ["101", "102", "201", "202"]
DAYS = 20
SETTLING = ("answered_all", "answered_part", "vacant", "wrong_address")

phone = st.sampled_from(sorted(HOLDERS))
home = st.integers(0, len(ROOMS) - 1)
homes = st.lists(home, min_size=1, max_size=4, unique=True)
person = st.fixed_dictionaries(
    {"status": st.sampled_from(["well", "symptoms", "away", "unknown"])},
    optional={"temperature_c": st.sampled_from([36.4, 37.3, 39.0]), "risk_area": st.booleans()},
)
outcome = st.sampled_from(
    ["answered_all", "answered_all", "answered_part", "no_answer", "refused", "vacant", "wrong_address", "unsafe"]
)
fault = st.builds(
    lambda kind, path, skip: {"kind": kind, "path": path, "skip": skip, "status": 503, "ms": 30},
    st.sampled_from(
        ["drop_request", "drop_answer", "duplicate", "delay", "late", "status", "kill_before", "kill_after"]
    ),
    st.sampled_from(["sync/commands", "sync/commands", "sync/areas", "sync/areas/", ""]),
    st.integers(0, 1),
)
renewal = st.sampled_from(["drop_request", "drop_answer", "duplicate", "status", "kill_after"]).map(
    lambda kind: [{"kind": "status", "path": "sync/", "status": 401}, {"kind": kind, "path": "auth/token"}]
)
faults = st.one_of(st.just([]), st.lists(fault, min_size=1, max_size=3), renewal)
fields = st.sampled_from([("note",), ("phone",), ("note", "phone")])
doing = st.one_of(
    st.tuples(st.just("visit"), phone, home, outcome, st.lists(person, max_size=2)),
    st.tuples(st.just("visit"), phone, home, outcome, st.lists(person, max_size=2)),
    st.tuples(st.just("visit"), phone, home, st.just("answered_all"), st.just([])),
    st.tuples(st.just("sweep"), phone, homes),
    st.tuples(st.just("care"), phone, home, st.sampled_from(["well", "needs_attention", "not_reached"])),
    st.tuples(st.just("undo"), phone, st.integers(1, 3)),
    st.tuples(st.just("sync"), phone, faults),
    st.tuples(st.just("sync"), phone, faults),
    st.tuples(st.just("sync_all"), st.lists(faults, min_size=3, max_size=3)),
    st.tuples(st.just("deliver"), phone),
    st.tuples(st.just("restart"), phone),
    st.tuples(st.just("kill"), phone),
    st.tuples(st.just("clock"), phone, st.sampled_from([0, -3_600_000, 120_000, 3_600_000, -86_400_000, 86_400_000])),
    st.tuples(st.just("fill"), phone),
    st.tuples(st.just("free"), phone),
    st.tuples(st.just("revoke"), phone),
    st.tuples(st.just("judge"), st.integers(0, 9), st.sampled_from(["confirmed", "set_aside"])),
    st.tuples(st.just("correct"), phone, home, fields),
    st.tuples(st.just("correct"), phone, home, fields),
    st.tuples(st.just("newcomer"), phone, home),
    st.tuples(st.just("depart"), phone, home, st.integers(0, 9)),
    st.tuples(st.just("household"), phone, home, st.booleans()),
    st.tuples(st.just("assign"), st.integers(0, 1), st.sampled_from(["worker", "worker2"])),
    st.tuples(st.just("recut"), home, st.integers(0, 1)),
    st.tuples(st.just("edit"), home),
    st.tuples(st.just("move_in"), home),
)
days = st.lists(doing, min_size=15, max_size=50)


@dataclass(slots=True)
class Visit:
    """A knock as it was recorded on a phone."""

    id: str
    home: int
    outcome: str
    persons: list[dict[str, Any]]
    is_set_aside: bool = False


@dataclass(slots=True)
class Correction:
    """Facts of a household as they were corrected on a phone."""

    home: int
    changes: dict[str, str]
    base: int
    """The version that was on screen."""


@dataclass(slots=True)
class Day:
    """A day of work: the ground it happens on, and what was recorded and not taken back."""

    call: Caller
    database: Database
    phones: Phones
    homes: list[Home]
    areas: list[str]
    round_id: str
    visits: dict[str, Visit] = field(default_factory=dict)
    cares: dict[str, tuple[int, str]] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    newcomers: dict[str, tuple[int, str]] = field(default_factory=dict)
    departures: dict[str, str] = field(default_factory=dict)
    households: dict[str, int] = field(default_factory=dict)
    """People and households found at doors, and who was said to live there no longer, by the record."""
    desk_notes: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """What the committee wrote of each household, and the community's version then."""
    made_by: dict[str, str] = field(default_factory=dict)
    were_full: set[str] = field(default_factory=set)
    """Phones that have been full: their receipts have given way."""
    strangers: int = 0
    conflicts_due: int = 0
    """How many conflicts there had to be at least, once all has been checked."""

    async def do(self, what: tuple[Any, ...]) -> None:
        """One doing of the list."""
        kind, *words = what
        await getattr(self, f"do_{kind}")(*words)

    async def do_visit(self, name: str, at: int, outcome: str, said: list[dict[str, Any]]) -> None:
        here = self.homes[at]
        persons: list[dict[str, Any]] | None = [
            {"resident_id": str(resident), **one} for resident, one in zip(here.residents, said, strict=False)
        ]
        if outcome == "answered_all" and not persons:
            persons = None  # the phone's own "all well"
        door = {"household_id": str(here.id), "round_id": self.round_id, "outcome": outcome, "persons": persons}
        made = await self.try_on(name, "record_door_visit", **door)
        if made:
            (item,) = [i for i in (await self.phones.do(name, "dump"))["outbox"] if i["id"] == made["id"]]
            self.visits[made["id"]] = Visit(made["id"], at, outcome, item["payload"]["persons"])
            self.made_by[made["id"]] = name

    async def do_sweep(self, name: str, at: list[int]) -> None:
        ids = [str(self.homes[i].id) for i in at]
        made = await self.try_on(name, "record_no_answer", household_ids=ids, round_id=self.round_id)
        for i, id_ in zip(at, made["ids"] if made else [], strict=False):
            self.visits[id_] = Visit(id_, i, "no_answer", [])
            self.made_by[id_] = name

    async def do_care(self, name: str, at: int, condition: str) -> None:
        made = await self.try_on(name, "record_care_visit", household_id=str(self.homes[at].id), condition=condition)
        if made:
            self.cares[made["id"]] = (at, condition)
            self.made_by[made["id"]] = name

    async def try_on(self, name: str, doing: str, /, **words: Any) -> dict[str, Any] | None:
        """A record on a phone, None where the door is not there or there is no room for it."""
        try:
            return await self.phones.do(name, doing, **words)
        except PhoneError as error:
            if error.name != "DoorGoneError" and not (error.name == "StorageError" and name in self.were_full):
                raise
            return None

    async def do_undo(self, name: str, back: int) -> None:
        mine = [id_ for id_, maker in self.made_by.items() if maker == name][-back:]
        if not mine:
            return
        undone = await self.try_on(name, "undo", ids=mine)
        if undone and undone["undone"]:
            for id_ in mine:
                self.visits.pop(id_, None)
                self.cares.pop(id_, None)
                self.corrections.pop(id_, None)
                self.newcomers.pop(id_, None)
                self.departures.pop(id_, None)
                self.households.pop(id_, None)
                del self.made_by[id_]

    async def do_correct(self, name: str, at: int, fields: tuple[str, ...]) -> None:
        self.strangers += 1
        values = {"note": f"{name}记{self.strangers}", "phone": f"138{self.strangers:08d}"}
        changes = {field: values[field] for field in fields}
        made = await self.try_on(name, "edit_household", household_id=str(self.homes[at].id), changes=changes)
        if made:
            (item,) = [i for i in (await self.phones.do(name, "dump"))["outbox"] if i["id"] == made["id"]]
            self.corrections[made["id"]] = Correction(at, changes, item["payload"]["base_version"])
            self.made_by[made["id"]] = name

    async def do_newcomer(self, name: str, at: int) -> None:
        self.strangers += 1
        words = {"household_id": str(self.homes[at].id), "name": f"遇见{self.strangers}"}
        if made := await self.try_on(name, "add_resident", **words):
            self.newcomers[made["id"]] = (at, made["resident_id"])
            self.made_by[made["id"]] = name

    async def do_depart(self, name: str, at: int, which: int) -> None:
        """Somebody whom the phone shows leaves; one stays always, so that the household does."""
        here = self.homes[at]
        doors = (await self.phones.do(name, "dump"))["doors"]
        shown = [r["id"] for door in doors if door["id"] == str(here.id) for r in door["residents"]]
        leaving = [one for one in shown if one != str(here.residents[1])]
        if leaving:
            who = leaving[which % len(leaving)]
            words = {"household_id": str(here.id), "resident_id": who, "reason": "moved_away"}
            if made := await self.try_on(name, "mark_gone", **words):
                self.departures[made["id"]] = who
                self.made_by[made["id"]] = name

    async def do_household(self, name: str, at: int, is_asked: bool) -> None:
        """A household is found behind a known door, and asked at once or not."""
        self.strangers += 1
        beside = self.homes[at]
        made = await self.try_on(name, "add_household", beside=str(beside.id), name=f"新户{self.strangers}")
        if made:
            self.households[made["id"]] = len(self.homes)
            self.made_by[made["id"]] = name
            home = replace(beside, id=UUID(made["household_id"]), residents=[UUID(made["resident_id"])])
            self.homes.append(home)
            if is_asked:
                await self.do_visit(name, len(self.homes) - 1, "answered_all", [])

    def living(self, at: int) -> set[str]:
        """Who lives in a household when all has come in."""
        came = {who for there, who in self.newcomers.values() if there == at}
        return ({str(one) for one in self.homes[at].residents} | came) - set(self.departures.values())

    def standing(self) -> dict[int, Home]:
        """The households that are there: those of the morning, and those found since and not taken back."""
        found = {*self.households.values()}
        return {at: home for at, home in enumerate(self.homes) if at < len(ROOMS) or at in found}

    async def do_fill(self, name: str) -> None:
        self.were_full.add(name)
        await self.phones.do(name, "fill")

    async def do_free(self, name: str) -> None:
        await self.phones.do(name, "free")

    async def do_revoke(self, name: str) -> None:
        """A phone is believed lost, hands in what it holds and wipes itself; then it is found and signed in anew."""
        account = PERSONAS[HOLDERS[name]].id
        async with self.database.session(EVERYWHERE) as session:
            statement = "SELECT id FROM device WHERE account_id = :a AND name = :n ORDER BY created_at DESC LIMIT 1"
            device = (await session.execute(text(statement), {"a": account, "n": f"phone {name}"})).scalar_one()
        await self.desk("POST", f"/accounts/{account}/devices/{device}/revoke", {})
        await self.phones.do(name, "free")
        for _ in range(2):
            await self.phones.do(name, "sync")
        shown = await self.phones.do(name, "dump")
        assert (shown["session"], shown["doors"], shown["outbox"]) == (None, [], [])
        assert shown["status"]["refusal"] == "device_revoked"
        for id_ in [id_ for id_, maker in self.made_by.items() if maker == name]:
            self.made_by[id_] = "a phone of before"
        await self.phones.do(name, "sign_in", username=HOLDERS[name], password=PASSWORD)

    async def do_judge(self, which: int, verdict: str) -> None:
        flagged = "SELECT id FROM door_visit WHERE household_id = ANY(:homes) AND flag_code IS NOT NULL ORDER BY id"
        rows = await self.rows(flagged)
        if rows:
            id_ = str(rows[which % len(rows)].id)
            await self.desk("POST", f"/door-visits/{id_}/judge", {"verdict": verdict})
            self.visits[id_].is_set_aside = verdict == "set_aside"

    async def do_sync(self, name: str, faults: list[dict[str, Any]]) -> None:
        await self.phones.do(name, "sync", faults=faults)

    async def do_sync_all(self, faults: list[list[dict[str, Any]]]) -> None:
        names = zip(HOLDERS, faults, strict=True)
        await asyncio.gather(*(self.phones.do(name, "sync", faults=some) for name, some in names))

    async def do_deliver(self, name: str) -> None:
        await self.phones.do(name, "deliver")

    async def do_restart(self, name: str) -> None:
        await self.phones.do(name, "restart")

    async def do_kill(self, name: str) -> None:
        await self.phones.do(name, "kill")

    async def do_clock(self, name: str, offset: int) -> None:
        await self.phones.do(name, "set", clock_offset_ms=offset)

    async def do_assign(self, at: int, who: str) -> None:
        body = {"account_id": str(PERSONAS[who].id)}
        await self.desk("POST", f"/responsibility-areas/{self.areas[at]}/assign", body)

    async def do_recut(self, at: int, to: int) -> None:
        door = [str(self.homes[at].dwelling_id)]
        await self.desk("PATCH", f"/responsibility-areas/{self.areas[1 - to]}", {"remove_dwelling_ids": door})
        await self.desk("PATCH", f"/responsibility-areas/{self.areas[to]}", {"add_dwelling_ids": door})

    async def do_edit(self, at: int) -> None:
        self.strangers += 1
        note = f"第{self.strangers}次改"
        await self.desk("PATCH", f"/households/{self.homes[at].id}", {"note": note})
        (clock,) = await self.rows(f"SELECT version FROM community_clock WHERE community_code = '{A}'")
        self.desk_notes[str(self.homes[at].id)].append((note, clock.version))
        resident = self.homes[at].residents[1]
        await self.desk("PATCH", f"/residents/{resident}", {"name": f"改名{self.strangers}"})

    async def do_move_in(self, at: int) -> None:
        self.strangers += 1
        here = self.homes[at]
        body = {"name": f"新人{self.strangers}"}
        here.residents.append(UUID((await self.desk("POST", f"/households/{here.id}/residents", body))["id"]))

    async def desk(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the committee does meanwhile."""
        answer = await self.call("committee", method, path, json=body)
        assert answer.is_success, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def heal(self) -> None:
        """The network is back: what was held arrives last of all, clocks go right, everybody syncs until done."""
        for name in HOLDERS:
            await self.phones.do(name, "free")
            await self.phones.do(name, "set", clock_offset_ms=0)
        await asyncio.gather(*(self.phones.do(name, "sync") for name in HOLDERS))
        for name in HOLDERS:
            await self.phones.do(name, "deliver")
        for name in HOLDERS:
            await self.phones.do(name, "sync")

    # What must have come of it.

    async def check(self) -> None:
        """Rows, tallies, trail and phones against what was recorded."""
        answers = await self.check_counted_once()
        wanted = await self.check_states()
        facts = await self.check_corrections(answers)
        for id_, one in wanted.items():
            one["facts"] = facts[id_]
        await self.check_phones(answers, wanted)

    async def rows(self, statement: str) -> list[Any]:
        """Rows of this day's ground."""
        async with self.database.session(EVERYWHERE) as session:
            params = {"homes": [home.id for home in self.homes], "round": UUID(self.round_id)}
            return list((await session.execute(text(statement), params)).all())

    async def check_counted_once(self) -> dict[str, Any]:
        """Each command that was not taken back is one row, one answer, one entry of the trail, one count."""
        made = {*self.visits, *self.cares, *self.corrections, *self.newcomers, *self.departures, *self.households}
        visits = await self.rows("SELECT id FROM door_visit WHERE household_id = ANY(:homes)")
        assert sorted(str(v.id) for v in visits) == sorted(self.visits)
        cares = await self.rows("SELECT id FROM care_visit WHERE household_id = ANY(:homes)")
        assert sorted(str(v.id) for v in cares) == sorted(self.cares)
        answers = await self.rows(
            "SELECT id, name, status, code, detail FROM sync_command WHERE received_at >= "
            "(SELECT created_at FROM screening_round WHERE id = :round)"
        )
        assert sorted(str(a.id) for a in answers) == sorted(made)
        assert [tuple(a) for a in answers if a.status not in ("accepted", "flagged")] == []
        subjects: Counter[str] = Counter()
        for entry in await self.rows(
            "SELECT action, subjects FROM audit_entry WHERE action IN ('screening.record_door_visit', "
            "'care.record_visit', 'people.update_household', 'people.add_resident', 'people.add_household', "
            "'people.mark_resident_gone') "
            "AND at >= (SELECT created_at FROM screening_round WHERE id = :round)"
        ):
            # a correction's entry names the household or the person too
            is_edit = entry.action.startswith("people.")
            subjects.update(one for one in entry.subjects if not is_edit or one in made)
        assert subjects == Counter(made)
        tally = await self.rows("SELECT visit_count FROM screening_tally WHERE round_id = :round")
        counted = sum(not visit.is_set_aside for visit in self.visits.values())
        assert [t.visit_count for t in tally] == ([counted] if self.visits else [])
        confirmed = await self.rows("SELECT account_id, sum(confirmed_count) AS n FROM confirmed_day GROUP BY 1")
        ever = await self.rows("SELECT account_id, count(*) AS n FROM sync_command GROUP BY 1")
        assert {c.account_id: c.n for c in confirmed} == {e.account_id: e.n for e in ever}
        async with self.database.session(EVERYWHERE) as session:
            assert await screening.find_tally_drift(session) == []
            assert await people.find_tally_drift(session) == []
        assert (await audit.verify_chains(self.database))[1] == []
        return {str(a.id): a for a in answers}

    async def check_states(self) -> dict[str, dict[str, Any]]:
        """Where each household stands, worked out from the visits alone and as the server has it."""
        times = {str(v.id): v.recorded_at for v in await self.rows("SELECT id, recorded_at FROM door_visit")}
        wanted = {str(home.id): self.expect(at, times) for at, home in self.standing().items()}
        found: dict[str, dict[str, Any]] = defaultdict(lambda: {"state": None, "checks": {}, "care": None})
        for row in await self.rows("SELECT * FROM household_screening WHERE round_id = :round"):
            found[str(row.household_id)]["state"] = (row.outcome, row.attempts, str(row.last_visit_id))
        for row in await self.rows("SELECT * FROM person_check WHERE round_id = :round"):
            found[str(row.household_id)]["checks"][str(row.resident_id)] = (row.status, row.temperature_c)
        cares = await self.rows("SELECT id, household_id, recorded_at, condition FROM care_visit")
        newest = {str(c.household_id): c.condition for c in sorted(cares, key=lambda c: (c.recorded_at, c.id))}
        for row in await self.rows("SELECT * FROM care_plan WHERE household_id = ANY(:homes)"):
            found[str(row.household_id)]["care"] = row.condition
        for id_, one in wanted.items():
            one["care"] = newest.get(id_)
            assert found[id_] == one
        return wanted

    def expect(self, at: int, times: dict[str, datetime]) -> dict[str, Any]:
        """The rules of design 3.5 and issue 2, said again: the newest answer for a person stands; the newest
        visit that settles something stands; a household is done when all its people are answered for."""
        visits = sorted(
            (v for v in self.visits.values() if v.home == at and not v.is_set_aside), key=lambda v: (times[v.id], v.id)
        )
        checks: dict[str, tuple[str, float | None]] = {}
        for visit in visits:
            for one in visit.persons:
                if one["status"] != "unknown":
                    checks[one["resident_id"]] = (one["status"], one.get("temperature_c"))
        if not visits:
            return {"state": None, "checks": {}}
        settled = [v.outcome for v in visits if v.outcome in SETTLING]
        outcome = settled[-1] if settled else visits[-1].outcome
        if outcome in ("answered_all", "answered_part"):
            is_whole = self.living(at) <= set(checks)
            outcome = "answered_all" if is_whole else "answered_part"
        attempts = sum(v.outcome == "no_answer" for v in visits)
        return {"state": (outcome, attempts, visits[-1].id), "checks": checks}

    async def check_corrections(self, answers: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """What a household's note and phone must be: every change in the order of the trail, less those that a conflict
        was filed for. There is one only where somebody else had changed the same field, and there is one wherever what
        stood there was written by the committee after what the phone had on screen."""
        facts = {
            str(home.id): {"note": None, "phone": "13812345678" if at < len(ROOMS) else ""}
            for at, home in self.standing().items()
        }
        conflicts = {
            (str(row.command_id), row.field)
            for row in await self.rows("SELECT command_id, field FROM edit_conflict WHERE household_id = ANY(:homes)")
        }
        writers: dict[tuple[str, str], set[str]] = defaultdict(set)
        by_desk: dict[str, int] = {}
        unseen: set[tuple[str, str]] = set()
        at_desk = {home: iter(notes) for home, notes in self.desk_notes.items()}
        order = list(self.corrections)
        for entry in await self.rows(
            "SELECT action, subjects, actor_id FROM audit_entry "
            "WHERE action IN ('people.update_household', 'update_household') "
            "AND at >= (SELECT created_at FROM screening_round WHERE id = :round) ORDER BY seq"
        ):
            who = str(entry.actor_id)
            if entry.action == "update_household":
                (home,) = entry.subjects
                facts[home]["note"], by_desk[home] = next(at_desk[home])
                writers[home, "note"].add(who)
                continue
            for id_ in sorted((one for one in entry.subjects if one in self.corrections), key=order.index):
                home = str(self.homes[self.corrections[id_].home].id)
                for name, value in self.corrections[id_].changes.items():
                    if name == "note" and by_desk.get(home, -1) > self.corrections[id_].base:
                        unseen.add((id_, name))
                    if (id_, name) in conflicts:
                        assert writers[home, name] - {who}
                        assert answers[id_].code == "edit_conflict"
                    else:
                        facts[home][name] = value
                        writers[home, name].add(who)
                        if name == "note":
                            by_desk.pop(home, None)
        assert conflicts >= unseen
        self.conflicts_due = len(unseen)
        assert {id_ for id_, _ in conflicts} == {id_ for id_, a in answers.items() if a.code == "edit_conflict"}
        return facts

    async def check_phones(self, answers: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> None:
        """Each phone: nothing waits, each record has the server's answer, its doors are the server's."""
        where = await self.rows(
            "SELECT h.id, a.id AS area, a.holder_id FROM household h JOIN dwelling d ON d.id = h.dwelling_id "
            "JOIN responsibility_area a ON a.id = d.responsibility_area_id WHERE h.id = ANY(:homes)"
        )
        for name, who in HOLDERS.items():
            shown = await self.phones.do(name, "dump")
            assert shown["outbox"] == []
            mine = {id_ for id_, maker in self.made_by.items() if maker == name}
            receipts = {r["id"]: (r["status"], r["code"]) for r in shown["receipts"]}
            given = {id_: (answers[id_].status, answers[id_].code) for id_ in mine}
            assert receipts.items() <= given.items() if name in self.were_full else receipts == given
            held = {str(w.id): str(w.area) for w in where if w.holder_id == PERSONAS[who].id}
            assert {door["id"]: door["areaId"] for door in shown["doors"]} == held
            assert shown["status"]["waiting"] == 0
            for door in shown["doors"]:
                self.check_door(door, wanted[door["id"]])

    def check_door(self, door: dict[str, Any], wanted: dict[str, Any]) -> None:
        """A door as a phone shows it."""
        assert door["pending"] == []
        assert "truth" not in door
        state = next(((s["outcome"], s["attempts"]) for s in door["states"] if s["roundId"] == self.round_id), None)
        assert state == (wanted["state"][:2] if wanted["state"] else None)
        checks = {
            r["id"]: (c["status"], c["temperature"])
            for r in door["residents"]
            for c in r["checks"]
            if c["roundId"] == self.round_id
        }
        at, _ = next((at, home) for at, home in self.standing().items() if str(home.id) == door["id"])
        living = self.living(at)
        assert checks == {who: check for who, check in wanted["checks"].items() if who in living}
        assert (door["care"] or {}).get("condition") == wanted["care"]
        assert {"note": door["note"] or None, "phone": door["phone"]} == wanted["facts"]
        assert {r["id"] for r in door["residents"]} == living


_buildings = itertools.count(1)


async def begin(call: Caller, database: Database, phones: Phones) -> Day:
    """New doors, two areas of them, a round of their own, and phones as from the shop."""
    building = str(next(_buildings))
    known = {home.id for home in await make_homes(database, A, [])}
    fresh = [h for h in await make_homes(database, A, stair_of(building, "1", ROOMS)) if h.id not in known]
    areas = [(await make_area(call, part, who))["id"] for part, who in ((fresh[:2], "worker"), (fresh[2:], "worker2"))]
    day = Day(call, database, phones, fresh, areas, await make_round(call, A, "committee"))
    for name, who in HOLDERS.items():
        await phones.do(name, "forget")
        await phones.do(name, "sign_in", username=who, password=PASSWORD)
        await phones.do(name, "sync")
    return day


async def end(day: Day) -> None:
    """The areas dissolve, so that the next day's phones carry only their own."""
    for area in day.areas:
        answer = await day.call("committee", "DELETE", f"/responsibility-areas/{area}")
        assert answer.is_success
    answer = await day.call("committee", "POST", f"/rounds/{day.round_id}/close")
    assert answer.is_success


@pytest.fixture
async def phones(database_url: str) -> AsyncIterator[Phones]:
    """Phones that work with a real service over this test's database."""
    async with serving(database_url) as url, Phones(url) as many:
        yield many


CROSSED: list[tuple[Any, ...]] = [
    ("edit", 0), ("correct", "p1", 0, ("note", "phone")), ("correct", "p1", 1, ("note",)), ("sync", "p1", []),
]  # fmt: skip
"""The committee and a phone write the same note: one conflict, whatever else is drawn."""


@settings(
    max_examples=max(DAYS, settings.default.max_examples // 5),
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(doings=days)
@example(doings=CROSSED)
async def test_phones_and_server_agree_and_every_command_counts_once(
    call: Caller, database: Database, phones: Phones, doings: list[tuple[Any, ...]]
) -> None:
    day = await begin(call, database, phones)
    try:
        for what in doings:
            await day.do(what)
        await day.heal()
        await day.check()
        if doings == CROSSED:
            assert day.conflicts_due == 1
    finally:
        await end(day)
