"""The trail: every link holds, a hand in the database shows, and only its own desk reads it."""

from uuid import uuid4

import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import text

from app.audit import service as audit
from app.audit.service import SYSTEM, BrokenLink, Doer
from app.core.db import EVERYWHERE, Database
from tests.personas import CITY, A, B, Caller


async def filled(database: Database) -> int:
    """Five entries in A and two in B; answers how many there are in all."""
    doer = Doer(uuid4(), "王某", uuid4())
    for number, code in enumerate((A, B, A, A, B, A, A)):
        async with database.session(EVERYWHERE) as session:
            await audit.append_entry(session, doer, code, "record_visit", [uuid4()], {"number": number})
    count, broken = await audit.verify_chains(database)
    assert broken == []
    return count


def by_hand(url: str, statement: str) -> None:
    """What somebody does who owns the database."""
    with psycopg.connect(url) as owner:
        assert owner.execute(statement.encode(), None).rowcount == 1


class TestVerifyChains:
    @pytest.mark.parametrize(
        "change",
        [
            "actor_name = '李某'",
            "at = at + interval '1 second'",
            "subjects = '[]'",
            "action = 'something_else'",
            "digest = sha256('x')",
            "actor_id = NULL",
        ],
    )
    async def test_a_row_changed_by_hand_is_found_where_it_stands(
        self, database: Database, database_url: str, change: str
    ) -> None:
        await filled(database)
        by_hand(database_url, f"UPDATE audit_entry SET {change} WHERE community_code = '{A}' AND seq = 3")
        assert (await audit.verify_chains(database))[1] == [BrokenLink(A, 3, "entry_changed")]

    async def test_a_row_changed_with_its_hash_made_again_breaks_the_next(
        self, database: Database, database_url: str
    ) -> None:
        await filled(database)
        by_hand(
            database_url,
            "UPDATE audit_entry e SET action = 'other', hash = audit_hash((SELECT hash FROM audit_entry p "
            f"WHERE p.community_code = e.community_code AND p.seq = 2), '{A}', 3, at, actor_id, actor_name, device_id, "
            f"'other', subjects, digest, request_id) WHERE community_code = '{A}' AND seq = 3",
        )
        assert (await audit.verify_chains(database))[1] == [BrokenLink(A, 4, "entry_changed")]

    async def test_a_row_taken_out_is_found(self, database: Database, database_url: str) -> None:
        count = await filled(database)
        by_hand(database_url, f"DELETE FROM audit_entry WHERE community_code = '{A}' AND seq = 2")
        left, broken = await audit.verify_chains(database)
        assert left == count - 1
        assert broken == [BrokenLink(A, 3, "entries_missing")]

    async def test_the_last_entry_taken_away_is_found(self, database: Database, database_url: str) -> None:
        await filled(database)
        by_hand(database_url, f"DELETE FROM audit_entry WHERE community_code = '{A}' AND seq = 5")
        assert (await audit.verify_chains(database))[1] == [BrokenLink(A, 5, "head_differs")]

    async def test_a_head_taken_away_is_found(self, database: Database, database_url: str) -> None:
        await filled(database)
        by_hand(database_url, f"DELETE FROM audit_chain WHERE community_code = '{B}'")
        assert (await audit.verify_chains(database))[1] == [BrokenLink(B, 2, "head_missing")]

    async def test_the_service_can_neither_change_nor_delete_an_entry(self, database: Database) -> None:
        await filled(database)
        for statement in (
            "UPDATE audit_entry SET action = 'x'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
            "DELETE FROM audit_chain",
            "ALTER TABLE audit_entry DISABLE ROW LEVEL SECURITY",
        ):
            with pytest.raises(sqlalchemy.exc.ProgrammingError, match=r"permission denied|must be owner"):
                async with database.session(EVERYWHERE) as session:
                    await session.execute(text(statement))


class TestListAuditEntries:
    async def test_its_desk_reads_it_newest_first(self, call: Caller, database: Database) -> None:
        await filled(database)
        first = (await call("committee", "GET", "/audit-entries", params={"community_code": A, "limit": 3})).json()
        assert [(i["seq"], i["actor_name"], i["subject_count"]) for i in first["items"]] == [
            (5, "王某", 1), (4, "王某", 1), (3, "王某", 1),
        ]  # fmt: skip
        params = {"community_code": A, "limit": 3, "cursor": first["next_cursor"]}
        rest = (await call("committee", "GET", "/audit-entries", params=params)).json()
        assert [i["seq"] for i in rest["items"]] == [2, 1]
        assert rest["next_cursor"] is None

    @pytest.mark.parametrize(
        ("who", "code", "status"),
        [
            (None, A, 401),
            ("worker", A, 403),
            ("viewer", A, 403),
            ("client", A, 403),
            ("other_committee", A, 404),
            ("far_street", A, 404),
            ("committee", A, 200),
            ("street", A, 200),
            ("city", CITY, 200),
            ("street", CITY, 404),
        ],
    )
    async def test_nobody_else_does(self, call: Caller, who: str | None, code: str, status: int) -> None:
        answer = await call(who, "GET", "/audit-entries", params={"community_code": code})
        assert answer.status_code == status

    async def test_a_round_stands_in_the_chain_of_its_division(self, call: Caller, database: Database) -> None:
        async with database.session(EVERYWHERE) as session:
            await audit.append_entry(session, SYSTEM, CITY, "create_round", [uuid4()])
        (item,) = (await call("city", "GET", "/audit-entries", params={"community_code": CITY})).json()["items"]
        assert item["action"] == "create_round"
