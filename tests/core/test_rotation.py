"""Changing the keys of personal data while the service runs."""

import asyncio
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app import cli
from app.all_models import metadata
from app.audit.service import SYSTEM
from app.core import crypto, rotation
from app.core.clock import today
from app.core.config import get_settings
from app.core.db import EVERYWHERE, Database
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests import starting
from tests.makers import Home, care_visit, door_visit, invented_id, make_homes, make_round, push, stair_of
from tests.personas import A, B, Caller

TABLES = rotation.sealed_tables(metadata)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def key_file(tmp_path: Path, database_url: str) -> Iterator[Path]:
    """A key file of this test's own, which this process and the commands it starts use, as they do its database."""
    file = tmp_path / "data.keys"
    file.write_text(get_settings().key_ring)
    file.chmod(0o600)
    with told(PIONEER_DATA_KEYS_FILE=str(file), PIONEER_DATABASE_URL=database_url):
        yield file


@contextmanager
def told(**environment: str) -> Iterator[None]:
    """Have this process read its settings and keys from another environment for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        crypto.key_ring.cache_clear()
        yield
    get_settings.cache_clear()
    crypto.key_ring.cache_clear()


def start(*words: str) -> starting.Started:
    """Start `pioneer keys …` in a process of its own, which knows no more than its file and the database."""
    with Path(os.devnull).open("wb") as nowhere:
        return starting.start("keys", *words, environment=os.environ, folder=ROOT, output=nowhere)


async def pioneer(*words: str) -> tuple[int, str]:
    """Run `pioneer keys …` beside this process, as an operator does; answers its exit code and what it said."""
    done = await asyncio.to_thread(starting.run, "keys", *words, environment=os.environ, folder=ROOT)
    return done.returncode, done.stdout + done.stderr


async def pioneer_here(*words: str) -> tuple[int, str]:
    """The same in this process, where nothing depends on who else has read the keys."""
    done = await asyncio.to_thread(CliRunner().invoke, cli.app, ["keys", *words])
    return done.exit_code, done.output


def people(building: str, count: int) -> list[DwellingInput]:
    """Doors with one person each: an ID number, a phone and a note behind every one."""
    return [
        DwellingInput(
            building=building,
            stair="1",
            floor=n // 100 + 1,
            room=f"{n + 100}",
            households=[
                HouseholdInput(
                    head_name=f"甲{n}",
                    phone=f"139{n:08d}",
                    note=f"备注{n}",
                    persons=[
                        PersonInput(name=f"甲{n}", id_kind="resident_id", id_number=invented_id(n), phone=f"138{n:08d}")
                    ],
                )
            ],
        )
        for n in range(count)
    ]


async def put(database: Database, community: str, doors: list[DwellingInput]) -> registry.PutCounts:
    """Put doors into a community."""
    async with database.session(EVERYWHERE) as session:
        return await registry.put_dwellings(session, SYSTEM, community, doors)


async def key_ids(database: Database) -> Counter[str]:
    """How many values stand under which key."""
    sums: Counter[str] = Counter()
    for found in await rotation.count_by_key(database, TABLES):
        sums[found.key_id] += found.count
    return sums


async def opened(database: Database) -> dict[tuple[str, str], list[str]]:
    """Every sealed value in the database, opened: (table, column) to values in order."""
    values: dict[tuple[str, str], list[str]] = {}
    async with database.session(EVERYWHERE) as session:
        for table in TABLES:
            for column, context in table.contexts.items():
                rows = await session.scalars(
                    text(f"SELECT {column} FROM {table.name} WHERE {column} IS NOT NULL ORDER BY {table.key[-1]}")
                )
                values[table.name, column] = [crypto.key_ring().open(row, context).decode() for row in rows]
    return values


async def versions(database: Database) -> list[tuple[str, int]]:
    """Every community's clock."""
    async with database.session(EVERYWHERE) as session:
        rows = await session.execute(text("SELECT community_code, version FROM community_clock ORDER BY 1"))
        return [(row.community_code, row.version) for row in rows]


@asynccontextmanager
async def held_back(database: Database, community: str) -> AsyncIterator[None]:
    """Nothing can be sealed anew in a community meanwhile, so that a rotation stands in the middle."""
    async with database.session(EVERYWHERE) as session:
        await session.execute(
            text("SELECT 1 FROM community_clock WHERE community_code = :c FOR UPDATE"), {"c": community}
        )
        yield


class TestRotateKeys:
    async def test_everything_moves_to_the_new_key_and_reads_the_same(
        self, key_file: Path, call: Caller, database: Database
    ) -> None:
        await put(database, A, people("1", 15))
        await put(database, B, people("2", 5))
        (home,) = (await make_homes(database, A, stair_of("3", "1", ["101"])))[-1:]
        path = f"/households/{home.id}"
        assert (await call("committee", "GET", path)).json()["phone_masked"] == "138****5678"
        before, clocks = await opened(database), await versions(database)
        code, said = await pioneer("rotate", "--batch", "7")
        assert code == 0, said
        assert "41 rows sealed anew; 0 values left under other keys" in said
        # a service that runs takes up the new key by itself: it reads what was moved, and writes under the new one
        assert (await call("committee", "GET", path)).json()["phone_masked"] == "138****5678"
        assert await opened(database) == before
        assert len(before["resident", "id_sealed"]) == 20
        (only,) = await key_ids(database)
        assert only == crypto.key_ring().current != "1"
        # nothing that a phone holds has changed: no version moves, so no phone loads anything again
        assert await versions(database) == clocks
        assert (await call("committee", "PATCH", path, json={"note": "新备注"})).json()["note"] == "新备注"
        assert list(await key_ids(database)) == [only]
        assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600
        # the old key stays in the file: backups of yesterday need it
        assert set(crypto.key_ring().keys.ciphers) == {"1", only}

    async def test_while_phones_push_and_desks_edit_nothing_is_lost_or_unreadable(
        self, key_file: Path, call: Caller, database: Database
    ) -> None:
        await put(database, A, people("1", 20))
        await put(database, B, people("2", 1))
        homes = (await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"])))[-3:]
        round_id = await make_round(call)
        written: dict[str, str] = {}
        done = asyncio.Event()
        counts: Counter[str] = Counter()

        async def push_notes() -> None:
            while not done.is_set():
                home = homes[counts["visits"] % 3]
                note = f"随访{counts['visits']}"
                visits = [door_visit(home, round_id, note=note, again_reason="changed"), care_visit(home, note=note)]
                results = await push(call, "committee", *visits)
                assert [r["status"] for r in results] == ["accepted", "accepted"]
                written.update({visit["id"]: note for visit in visits})
                counts["visits"] += 1
                await asyncio.sleep(0.05)

        async def edit_phones(home: Home, who: str) -> None:
            while not done.is_set():
                phone = f"137{counts[who]:08d}"
                answer = await call(who, "PATCH", f"/households/{home.id}", json={"phone": phone})
                assert answer.status_code == 200, answer.text
                written[str(home.id)] = phone
                read = await call(who, "GET", f"/households/{home.id}/residents")
                assert read.status_code == 200, read.text
                counts[who] += 1
                await asyncio.sleep(0.05)

        async def import_again() -> None:
            while not done.is_set():
                again = await put(database, A, people("1", 20))
                assert (again.created, again.updated) == (0, 0)
                counts["imports"] += 1
                await asyncio.sleep(0.05)

        async def rotate() -> tuple[int, str]:
            """Stand in the middle until everybody has written three times more."""
            try:
                async with held_back(database, B):
                    rotating = asyncio.create_task(pioneer("rotate", "--batch", "5"))
                    while len(await key_ids(database)) < 2 and not rotating.done():  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                    before = Counter(counts)
                    while not rotating.done() and min(counts[who] - before[who] for who in writers) < 3:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                return await rotating
            finally:
                done.set()

        writers = ("visits", "committee", "street", "imports")
        (code, said), *_ = await asyncio.gather(
            rotate(), push_notes(), edit_phones(homes[0], "committee"), edit_phones(homes[1], "street"), import_again()
        )
        assert code == 0, said
        assert min(counts[who] for who in writers) >= 3
        notes = {
            item["id"]: item["note"] for path in ("/door-visits", "/care-visits") async for item in every(call, path)
        }
        phones = dict(zip(*[await column(database, name) for name in ("id", "phone_sealed")], strict=True))
        for key, value in written.items():
            assert notes.get(key) or crypto.open_text(phones[key], "household.phone") == value
            assert notes.get(key, value) == value
        await opened(database)
        assert list(await key_ids(database)) == [crypto.key_ring().current]

    async def test_killed_in_the_middle_it_goes_on_where_it_stopped(self, key_file: Path, database: Database) -> None:
        await put(database, A, people("1", 200))
        await put(database, B, people("2", 1))
        before = await opened(database)
        async with held_back(database, B):
            process = start("rotate", "--batch", "1")
            for _ in range(600):
                await asyncio.sleep(0.05)
                if len(await key_ids(database)) > 1:
                    break
            process.kill()
            process.wait()
        halfway = await key_ids(database)
        assert len(halfway) == 2, halfway
        assert await opened(database) == before
        code, said = await pioneer_here("status")
        assert (code, f"under key {crypto.key_ring().current}" in said, "under key 1" in said) == (0, True, True)
        code, said = await pioneer_here("rotate")
        assert (code, "New key" in said) == (0, False), said
        assert set(await key_ids(database)) == {crypto.key_ring().current}
        assert await opened(database) == before
        assert len(crypto.key_ring().keys.ciphers) == 2

    async def test_the_index_key_changes_and_everybody_is_still_found(self, key_file: Path, database: Database) -> None:
        doors = people("1", 20)
        await put(database, A, doors)
        old_indexes = await column(database, "id_index", "resident")
        # while it changes, old and new are found alike
        rotation.add_key(key_file, today(), index=True)
        crypto.key_ring().refresh(at_once=True)
        again = await put(database, A, doors)
        assert (again.created, again.updated, again.unchanged, again.conflicts) == (0, 0, 20, [])
        other = people("9", 1)
        other[0].households[0].persons[0].name = "乙"
        other[0].households[0].head_name = "乙"
        assert [c.code for c in (await put(database, A, other)).conflicts] == ["id_duplicate"]
        code, said = await pioneer_here("rotate", "--index")
        assert code == 0, said
        assert "the old one is gone from the file" in said
        crypto.key_ring().refresh(at_once=True)
        assert len(crypto.key_ring().keys.index_keys) == 1
        assert not set(old_indexes) & set(await column(database, "id_index", "resident"))
        again = await put(database, A, doors)
        assert (again.created, again.updated, again.unchanged) == (0, 0, 20)

    async def test_what_no_key_opens_is_said_and_left_alone(self, key_file: Path, database: Database) -> None:
        await put(database, A, people("1", 3))
        async with database.session(EVERYWHERE) as session:
            await session.execute(
                text("UPDATE household SET note_sealed = '\\x0139aabbccddeeff00112233445566778899aabbccddeeff' "
                     "WHERE head_name = '甲1'")
            )  # fmt: skip
        code, said = await pioneer_here("status")
        assert (code, "Nobody here can read what is under 9" in said) == (1, True)
        code, said = await pioneer_here("rotate")
        assert (code, "household.note_sealed: 1 values that no known key opens" in said) == (1, True), said
        assert (await key_ids(database))["9"] == 1

    async def test_keys_in_the_environment_are_the_operators_to_add(
        self, database: Database, database_url: str
    ) -> None:
        await put(database, A, people("1", 3))
        keys = get_settings().key_ring
        fresh = "2:" + "A" * 43 + "="
        with told(PIONEER_DATA_KEYS=f"{fresh},{keys}", PIONEER_DATABASE_URL=database_url):
            code, said = await pioneer_here("rotate")
        assert code == 0, said
        assert list(await key_ids(database)) == ["2"]


class TestKeysOfAProcess:
    def test_a_named_file_that_is_not_there_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIONEER_DATA_KEYS_FILE", str(tmp_path / "gone"))
        get_settings.cache_clear()
        try:
            with pytest.raises(FileNotFoundError):
                _ = get_settings().key_ring
        finally:
            monkeypatch.undo()
            get_settings.cache_clear()

    def test_a_broken_file_does_not_take_the_keys_away(self, key_file: Path) -> None:
        ring = crypto.key_ring()
        sealed = ring.seal(b"x", "a.b")
        key_file.write_text("1:not a key")
        ring.refresh(at_once=True)
        assert ring.open(sealed, "a.b") == b"x"

    @pytest.mark.parametrize("text", ["", "1:AAAA,index:AAAA", "1:" + "A" * 43 + "=", "index:" + "A" * 43 + "=", "1,2"])
    def test_what_is_no_ring_of_keys_is_refused_without_repeating_it(self, text: str) -> None:
        with pytest.raises(ValueError, match="data keys: want") as refused:
            crypto.parse_keys(text)
        assert "AAAA" not in str(refused.value)

    def test_every_sealed_column_says_its_context(self) -> None:
        named = {
            (table.name, column.name)
            for table in metadata.sorted_tables
            for column in table.columns
            if column.name.endswith("_sealed")
        }
        assert named == {(table.name, column) for table in TABLES for column in table.contexts}
        # what is kept of a row that is merged or imported over stays sealed as it was, to come back as it was: under
        # that row's own contexts
        kept = ("merged_row", "import_before")
        own = [context for table in TABLES if table.name not in kept for context in table.contexts.values()]
        assert len(own) == len(set(own))
        (kept,) = (table for table in TABLES if table.name == "merged_row")
        assert set(kept.contexts.values()) == {"resident.id", "resident.phone", "household.phone", "household.note"}


async def column(database: Database, name: str, table: str = "household") -> list[Any]:
    """A column of a table by id; ids as text."""
    async with database.session(EVERYWHERE) as session:
        rows = list((await session.scalars(text(f"SELECT {name} FROM {table} ORDER BY id"))).all())
    return [str(row) if name == "id" else row for row in rows]


async def every(call: Caller, path: str) -> AsyncIterator[dict[str, Any]]:
    """All items of a list of community A, page by page."""
    cursor: str | None = None
    while True:
        params = {"community_code": A, "limit": "500"} | ({"cursor": cursor} if cursor else {})
        page = (await call("committee", "GET", path, params=params)).json()
        for item in page["items"]:
            yield item
        cursor = page["next_cursor"]
        if cursor is None:
            return
