"""`pioneer tally verify` and `pioneer audit verify`, as an operator runs them."""

import os
from pathlib import Path

import psycopg

from app.core.db import Database
from tests import starting
from tests.makers import door_visit, make_homes, make_round, push, stair_of
from tests.personas import A, Caller


def pioneer(database_url: str, *words: str) -> tuple[int, str]:
    """Run a command on a database; answers its exit code and what it said."""
    environment = os.environ | {"PIONEER_DATABASE_URL": database_url}
    done = starting.run(*words, environment=environment, folder=Path.cwd())
    return done.returncode, done.stdout + done.stderr


async def worked(call: Caller, database: Database) -> None:
    """A community in which something has been done."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    round_id = await make_round(call)
    await push(call, "committee", door_visit(homes[0], round_id), door_visit(homes[1], round_id, "no_answer"))


class TestVerifyTallies:
    async def test_it_names_what_drifted(self, call: Caller, database: Database, database_url: str) -> None:
        await worked(call, database)
        lost = await make_round(call)
        (home, *_) = await make_homes(database, A, [])
        await push(call, "committee", door_visit(home, lost))
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")
        with psycopg.connect(database_url) as owner:
            owner.execute("UPDATE community_clock SET resident_count = 7 WHERE resident_count > 0")
            owner.execute("UPDATE screening_tally SET persons_done = 9 WHERE no_answer > 0")
            owner.execute("DELETE FROM screening_tally WHERE round_id = %s", (lost,))
        code, words = pioneer(database_url, "tally", "verify")
        assert code == 1
        assert f"{A} resident_count: 7, recounted 4" in words
        assert f"{A} persons_done: 9, recounted 2" in words
        assert f"{A} answered_all: 0, recounted 1" in words


class TestVerifyAudit:
    async def test_it_says_where_a_chain_is_broken(self, call: Caller, database: Database, database_url: str) -> None:
        await worked(call, database)
        code, words = pioneer(database_url, "audit", "verify")
        assert (code, "0 broken" in words) == (0, True)
        with psycopg.connect(database_url) as owner:
            owner.execute("UPDATE audit_entry SET actor_name = 'x' WHERE community_code = %s AND seq = 1", (A,))
        code, words = pioneer(database_url, "audit", "verify")
        assert code == 1
        assert f"community {A} entry 1: entry_changed" in words
