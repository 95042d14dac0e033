"""The community is the unit of everything (design 3.1), and its rows exist for nobody else (3.3)."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text

from app.all_models import metadata
from app.core.clock import now, today
from app.core.db import EVERYWHERE, NOWHERE, Database, Scope
from app.core.ids import new_id
from app.import_export import differences, staging
from app.import_export.models import ImportJob
from app.import_export.readings import DwellingRow
from app.import_undo import evidence
from app.import_undo.models import ImportLeft
from app.people.registry import Before, Difference, PutCounts
from app.privacy import retention
from app.residence.models import Residence, Tenure, Transfer
from app.taken_out.models import TakenOut
from tests.duplicates.pairs import door, listed, person, register, search
from tests.duplicates.pairs import post as merge
from tests.makers import (
    care_visit,
    command,
    door_visit,
    jpeg,
    make_area,
    make_homes,
    make_round,
    push,
    report_by_code,
    stair_of,
    take_photo,
)
from tests.personas import A, B, C, Caller
from tests.rounds.asking import MASKS, answered, open_round

# Local tables that name a community without belonging to one; each with its reason.
LOCAL = {"import_job": "a division list belongs to no community, and its worker asks for it by id alone"}
OF_COMMUNITIES = sorted(
    name for name, table in metadata.tables.items() if "community_code" in table.columns and name not in LOCAL
)


class TestCommunityComesFirst:
    @pytest.mark.parametrize("name", OF_COMMUNITIES)
    def test_in_the_primary_key(self, name: str) -> None:
        table = metadata.tables[name]
        assert next(iter(table.primary_key.columns)).name == "community_code"
        kind = table.columns["community_code"].type
        assert (kind.__class__.__name__, getattr(kind, "length", None)) == ("CHAR", 12)

    @pytest.mark.parametrize("name", OF_COMMUNITIES)
    def test_in_every_unique_constraint_and_index(self, name: str) -> None:
        table = metadata.tables[name]
        uniques: list[UniqueConstraint | Index] = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
        uniques += [index for index in table.indexes if index.unique]
        assert [u.name for u in uniques if next(iter(u.columns)).name != "community_code"] == []

    @pytest.mark.parametrize("name", OF_COMMUNITIES)
    def test_in_every_foreign_key_on_both_sides(self, name: str) -> None:
        table = metadata.tables[name]
        for key in (c for c in table.constraints if isinstance(c, ForeignKeyConstraint)):
            first = key.elements[0]
            assert (first.parent.name, first.column.name) == ("community_code", "community_code")

    def test_and_no_other_table_points_into_a_community(self) -> None:
        pointing = []
        for name, table in metadata.tables.items():
            if name not in OF_COMMUNITIES:
                pointing += [
                    (name, k.column.table.name) for k in table.foreign_keys if k.column.table.name in OF_COMMUNITIES
                ]
        assert pointing == []

    def test_the_exceptions_are_real(self) -> None:
        assert all("community_code" in metadata.tables[name].columns for name in LOCAL)

    async def test_the_database_stands_as_the_tables_say(self, database: Database) -> None:
        """Every such table in the database has row-level security on, with a policy, and belongs to another role."""
        async with database.session(Scope(())) as session:
            rows = await session.execute(
                text("""
                SELECT c.relname, c.relrowsecurity, EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS policy,
                    pg_get_userbyid(c.relowner) <> current_user AS foreign_owner
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'community_code'
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
            """)
            )
            found = {row.relname: (row.relrowsecurity, row.policy, row.foreign_owner) for row in rows}
        assert {name: state for name, state in found.items() if name not in LOCAL} == dict.fromkeys(
            OF_COMMUNITIES, (True, True, True)
        )

    async def test_every_policy_says_the_same(self, database: Database) -> None:
        """In the words of migration 0016, of which the planner does not believe that they leave next to nothing;
        tables that are added up read the setting once for a statement (0021)."""
        async with database.session(Scope(())) as session:
            rows = await session.execute(text("SELECT qual, tablename FROM pg_policies WHERE schemaname = 'public'"))
            conditions = defaultdict(set)
            for condition, table in rows:
                conditions[" ".join(condition.split())].add(table)
        summed, plain = sorted(conditions)
        patterns = "string_to_array(current_setting('app.scope'::text, true), ','::text)"
        assert plain == f"COALESCE((community_code ~~ ANY ({patterns})), false)"
        assert summed == f"COALESCE((community_code ~~ ANY (( SELECT {patterns} AS string_to_array)::text[])), false)"
        assert conditions[summed] == {"community_clock", "screening_tally", "expected_headcount"}


async def both_filled(call: Caller, database: Database) -> None:
    """Rows of nearly every kind in A and in B."""
    round_id = await make_round(call)
    for code, who in ((A, "committee"), (B, "other_committee")):
        homes = await make_homes(database, code, stair_of("3", "2", ["101", "102"]))
        area = await make_area(call, homes, None, code)
        assert (await call(who, "POST", f"/responsibility-areas/{area['id']}/claim")).is_success
        hot = [{"resident_id": str(homes[0].residents[0]), "status": "symptoms", "temperature_c": 38}]
        visit = door_visit(homes[0], round_id, "answered_part", persons=hot, community_code=code)
        times = [f"2026-02-01T{hour}:00:00+08:00" for hour in ("09", "14", "19")]
        missed = [door_visit(homes[1], round_id, "no_answer", recorded_at=at, community_code=code) for at in times]
        await push(call, who, visit, care_visit(homes[0], community_code=code), *missed)
        notices = {"community_code": code, "round_id": round_id, "household_ids": [str(homes[1].id)]}
        printed = await call(who, "POST", "/door-notices/print", json=notices)
        url = printed.json()["items"][0]["url"]
        assert (await report_by_code(call, url, "102", "甲")).status_code == 200
        paper = {"responsibility_area_id": area["id"], "round_id": round_id}
        sheet = (await call(who, "POST", "/walk-sheets", json=paper)).json()
        row = {"id": str(new_id()), "household_id": str(homes[0].id), "outcome": "refused", "persons": []}
        row["recorded_at"] = "2026-02-01T20:00:00+08:00"
        entered = await call(who, "POST", f"/walk-sheets/{sheet['id']}/entries", json={"entries": [row]})
        assert entered.json()["results"][0]["status"] == "accepted", entered.text
        ids = [str(homes[1].id)]
        asking = await open_round(call, who, code, questions=[MASKS], target="list", household_ids=ids)
        said = answered(homes[1], asking, [{"question": "masks", "value": 3}], community_code=code)
        assert (await push(call, who, said))[0]["status"] == "accepted"
        assert (await take_photo(call, who, homes[0], jpeg())).is_success
        path = f"/residents/{homes[0].residents[0]}/reveal"
        assert (await call(who, "POST", path, json={"fields": ["phone"], "purpose": "回访"})).is_success
        post: dict[str, Any] = {
            "community_code": code, "title": "卡口值守", "kind": "checkpoint", "duty": "测温", "place": "南门",
            "starts_at": "2026-12-01T08:00:00+08:00", "ends_at": "2026-12-01T12:00:00+08:00", "wanted_count": 2,
            "is_published": True,
        }  # fmt: skip
        made = await call(who, "POST", "/posts", json=post)
        assert made.status_code == 201, made.text
        assert (await call(who, "POST", f"/posts/{made.json()['id']}/claim")).is_success
        # somebody else changes a note after the desk did, without having seen it
        assert (await call(who, "PATCH", f"/households/{homes[0].id}", json={"note": "在家"})).is_success
        edit = {"household_id": str(homes[0].id), "base_version": 0, "changes": {"note": "不在家"}}
        (result,) = await push(call, "street", command("people.update_household", edit, community_code=code))
        assert result["code"] == "edit_conflict"
        gone = {"household_id": str(homes[1].id), "resident_id": str(homes[0].residents[0]), "reason": "moved_away"}
        (result,) = await push(call, who, command("people.mark_resident_gone", gone, community_code=code))
        assert result["code"] == "person_moved"
        assert (await call(who, "GET", "/households.xlsx", params={"community_code": code})).status_code == 200
        async with database.session(Scope((code,))) as session:
            where = {"community_code": code, "household_id": homes[0].id}
            session.add(Residence(**where, resident_id=homes[0].residents[0]))
            session.add(Tenure(**where, kind="owner"))
            session.add(Transfer(community_code=code, from_community=C, from_resident_id=new_id(), left_on=today()))
        twice = [person("甲重名", id=new_id()), person("甲重名", id=new_id(), workplace="纺织厂")]
        await register(database, door("801", twice[0]), door("802", twice[1]), community=code)
        await search(database)
        (pair,) = await listed(call, who, code)
        await merge(call, f"/duplicates/{pair['id']}/merge", {"keep": str(twice[0].id)}, who)
    async with database.session(EVERYWHERE) as session:
        for code in (A, B):
            import_id, home = new_id(), new_id()
            await staging.stage_doors(session, code, import_id, [DwellingRow(room="101")])
            found = Difference("household", home, home, "phone", "13800000001", None, False, "", None, "名册", 2)
            await differences.write_differences(session, code, import_id, [found])
            put = PutCounts(version=1, before=[Before("household", home)])
            await evidence.keep_written(session, ImportJob(id=import_id, as_of=now()), code, put)
            session.add(ImportLeft(community_code=code, import_id=import_id, dwelling_id=home, reason="area"))
            gone = {"household_id": home, "dwelling_id": home, "person_ids": [], "delete_by": today()}
            session.add(TakenOut(community_code=code, **gone))
    body = {"source": "公安", "as_of": "2026-01-31", "items": [{"community_code": c, "households": 2} for c in (A, B)]}
    assert (await call("client", "PUT", "/headcounts/expected", json=body)).json()["accepted"] == 2
    await retention.run_retention(database, today() + timedelta(days=120))


async def communities_seen(database: Database, scope: Scope) -> dict[str, set[str]]:
    """Which communities each table shows to queries that forget to ask for one."""
    seen: dict[str, set[str]] = {}
    async with database.session(scope) as session:
        for name in OF_COMMUNITIES:
            rows = await session.scalars(text(f"SELECT DISTINCT community_code FROM {name}"))
            seen[name] = set(rows.all())
    return seen


class TestQueryThatForgetsItsFilter:
    async def test_sees_its_own_community_and_nothing_without_a_scope(self, call: Caller, database: Database) -> None:
        await both_filled(call, database)
        assert await communities_seen(database, Scope((A,))) == {name: {A} for name in OF_COMMUNITIES}
        assert await communities_seen(database, Scope((B,))) == {name: {B} for name in OF_COMMUNITIES}
        assert await communities_seen(database, Scope(())) == {name: set() for name in OF_COMMUNITIES}
        street = await communities_seen(database, Scope(("990101001",)))
        assert street == {name: {A, B} for name in OF_COMMUNITIES}

    async def test_sees_nothing_where_nobody_set_a_scope(self, call: Caller, database: Database) -> None:
        await both_filled(call, database)
        async with database.calls.connection() as connection:
            for name in OF_COMMUNITIES:
                cursor = await connection.execute(f"SELECT count(*) FROM {name}".encode())
                assert await cursor.fetchone() == (0,)

    async def test_writes_nothing_outside_it(self, call: Caller, database: Database) -> None:
        await both_filled(call, database)
        async with database.session(Scope((A,))) as session:
            for statement in (
                f"UPDATE household SET head_name = 'x' WHERE community_code = '{B}'",
                f"DELETE FROM person_check WHERE community_code = '{B}'",
                f"UPDATE community_clock SET version = 0 WHERE community_code = '{B}'",
            ):
                touched = await session.execute(text(statement))
                assert getattr(touched, "rowcount", None) == 0
        with pytest.raises(Exception, match="row-level security"):
            async with database.session(Scope((A,))) as session:
                await session.execute(text(f"UPDATE dwelling SET community_code = '{B}' WHERE building = '3'"))

    def test_a_scope_is_made_of_digits(self) -> None:
        for bad in ("9901'; DROP TABLE household; --", "%%", "99 01", "1234567890123"):
            with pytest.raises(ValueError, match="digits"):
                Scope((bad,))
        assert Scope(("990101", A)).with_nowhere().setting == f"990101%,{A},{NOWHERE}"
