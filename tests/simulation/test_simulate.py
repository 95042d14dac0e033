"""`pioneer simulate`: the same city for the same seed, right in every tally, sealed, and alive over HTTP."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from app import cli
from app.audit import service as audit
from app.cli.database import migrate_to_head
from app.core import crypto
from app.core.config import get_settings
from app.core.db import APP_ROLE, EVERYWHERE, Database
from app.core.resident_id import birth_date, is_resident_id, sex_of
from app.demo import PASSWORD
from app.people import service as people
from app.people.naming import initials, pinyin
from app.screening import service as screening
from app.simulation import service as simulation
from app.simulation import writing
from app.simulation.draws import Draw
from app.simulation.families import MALE, collective, family
from app.simulation.names import SURNAMES, name_person
from app.simulation.plan import SIZES, Size, invented_tree, plan_communities
from app.simulation.service import AnotherSimulation, NotEmpty, Progress, Wanted
from tests.conftest import _url_of

DAY = date(2026, 3, 1)
TOWN, COMMITTEE, VILLAGE = "990101102", "990101102001", "990101102202"
# one town with a residents' committee and two villages
TREE = [
    entry
    for entry in invented_tree(75)
    if entry.code.startswith(TOWN) or entry.code in ("990100000000", "990101000000")
]
WANTED = Wanted(TREE, 240, 7, DAY)
# nonces never repeat, and a password is salted
NEVER_THE_SAME = ("_sealed", "password_hash")


@dataclass(frozen=True, slots=True)
class Made:
    """A finished city: its database, and what it was made from."""

    url: str
    city: simulation.City
    told: list[Progress]


@pytest.fixture(scope="module")
def empty_template(server_url: str) -> Iterator[str]:
    """A migrated database with nobody in it."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE pioneer_unpeopled")
    migrate_to_head(_url_of(server_url, "pioneer_unpeopled"))
    yield "pioneer_unpeopled"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("DROP DATABASE pioneer_unpeopled WITH (FORCE)")


@pytest.fixture(scope="module")
def made(server_url: str, empty_template: str) -> Iterator[Made]:
    """A small city, made once for the tests that only read."""
    with empty_copy(server_url, empty_template, "pioneer_simulated") as url:
        told: list[Progress] = []
        city = begin(url)
        simulation.people(url, city, 1, told.append)
        yield Made(url, city, told)


@pytest.fixture
def empty_url(server_url: str, empty_template: str) -> Iterator[str]:
    """An empty database of this test's own."""
    with empty_copy(server_url, empty_template, "pioneer_empty_town") as url:
        yield url


@contextmanager
def empty_copy(server_url: str, template: str, name: str) -> Iterator[str]:
    """The owner's URL of a copy of the empty database, dropped at the end."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode())
    yield _url_of(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def begin(url: str, wanted: Wanted = WANTED) -> simulation.City:
    """The common part of a city."""
    return with_database(url, lambda database: simulation.begin(database, wanted))


def with_database(url: str, work: Any) -> Any:
    """Do something with the database as the service opens it."""

    async def run() -> Any:
        database = Database(url, 2)
        await database.open()
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def digest(url: str) -> dict[str, str]:
    """A fingerprint of each table's rows, without what can never be the same."""
    found = {}
    with psycopg.connect(url) as connection:
        for table, columns in writing._COLUMNS.items():
            kept = [column for column in columns if not column.endswith(NEVER_THE_SAME)]
            rows = connection.execute(f"SELECT {', '.join(kept)} FROM {table} ORDER BY {', '.join(kept[:3])}".encode())
            found[table] = hashlib.sha256("\n".join(map(str, rows.fetchall())).encode()).hexdigest()
    return found


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query answers to the owner."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


class TestDeterminism:
    def test_cut_off_and_made_by_two_it_is_the_same_city(self, made: Made, empty_url: str) -> None:
        def stop(progress: Progress) -> None:
            if progress.step == "communities":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            simulation.people(empty_url, begin(empty_url), 1, stop)
        assert 0 < len(rows_of(empty_url, "SELECT DISTINCT community_code FROM dwelling")) < 3
        with pytest.raises(AnotherSimulation, match="seed 7"):
            begin(empty_url, replace(WANTED, seed=8))
        # the day an unfinished city was begun for is known
        simulation.people(empty_url, begin(empty_url, replace(WANTED, on=None)), 2, lambda _: None)
        assert digest(empty_url) == digest(made.url)
        with pytest.raises(NotEmpty):
            begin(empty_url)

    def test_another_seed_is_another_city(self) -> None:
        one, other = (plan_communities(TREE, 240, seed)[0].doors() for seed in (7, 8))
        assert one != other

    def test_indexes_are_as_migrations_made_them(self, made: Made, server_url: str, empty_template: str) -> None:
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        assert rows_of(made.url, query) == rows_of(_url_of(server_url, empty_template), query)

    def test_progress_is_told(self, made: Made) -> None:
        assert [(p.done, p.total) for p in made.told if p.step == "communities"] == [(1, 3), (2, 3), (3, 3)]


class TestRows:
    def test_tallies_and_trail_hold(self, made: Made) -> None:
        async def look(database: Database) -> tuple[Any, ...]:
            async with database.session(EVERYWHERE) as session:
                drift = [*await people.find_tally_drift(session), *await screening.find_tally_drift(session)]
            return drift, *await audit.verify_chains(database)

        drift, entries, broken = with_database(made.url, look)
        assert (drift, broken) == ([], [])
        # begun, finished, the round, and one for each community
        assert entries == 6

    def test_where_households_stand_follows_from_their_visits(self, made: Made) -> None:
        states = "SELECT household_id, outcome, attempts, last_visit_id, last_at, last_by FROM household_screening"
        checks = "SELECT resident_id, visit_id, status, temperature_c, symptoms, delete_by FROM person_check"
        with psycopg.connect(made.url) as connection:
            before = [set(map(str, connection.execute(f"{query}".encode()))) for query in (states, checks)]
            connection.execute(
                "SELECT screening_restate_visits(community_code, 9, array_agg(id)) FROM door_visit "
                "GROUP BY community_code"
            )
            after = [set(map(str, connection.execute(f"{query}".encode()))) for query in (states, checks)]
            connection.rollback()
        assert before == after
        assert all(before)

    def test_numbers_are_sealed_found_and_given_once(self, made: Made) -> None:
        persons = rows_of(
            made.url,
            "SELECT id_sealed, id_index, phone_sealed, phone_index, birth_on, sex FROM resident "
            "WHERE id_kind = 'resident_id'",
        )
        numbers, phones = set(), []
        for id_sealed, id_index, phone_sealed, phone_index, born, sex in persons:
            number = crypto.open_text(id_sealed, people.RESIDENT_ID)
            assert number is not None
            assert number.startswith("379999")
            assert is_resident_id(number)
            assert (birth_date(number), sex_of(number)) == (born, sex)
            assert crypto.blind_index(number, people.RESIDENT_ID) == id_index
            numbers.add(number)
            phone = crypto.open_text(phone_sealed, people.RESIDENT_PHONE)
            assert crypto.blind_index(phone, people.RESIDENT_PHONE) == phone_index
            phones += [phone] if phone else []
        assert len(numbers) == len(persons) > 500
        assert len(set(phones)) == len(phones) > 300
        assert all(len(phone) == 11 and phone.startswith("154") for phone in phones)
        notes = rows_of(made.url, "SELECT note_sealed FROM household WHERE note_sealed IS NOT NULL")
        assert all(crypto.open_text(note, people.HOUSEHOLD_NOTE) for (note,) in notes)
        assert notes

    def test_towns_have_stairs_and_villages_have_lanes(self, made: Made) -> None:
        flats = rows_of(made.url, f"SELECT stair, floor, room FROM dwelling WHERE community_code = '{COMMITTEE}'")
        houses = rows_of(made.url, f"SELECT stair, floor, room FROM dwelling WHERE community_code = '{VILLAGE}'")
        assert all(stair and floor for stair, floor, room in flats if room.isdigit())
        assert all((stair, floor) == ("", None) and room.endswith("号") for stair, floor, room in houses)
        assert len(flats) > 5 * len(houses)


class TestOverHttp:
    async def test_a_worker_pulls_their_area_and_the_city_sees_all(self, made: Made, built_app: FastAPI) -> None:
        built_app.state.database_url = made.url
        async with (
            built_app.router.lifespan_context(built_app),
            httpx.AsyncClient(transport=httpx.ASGITransport(built_app), base_url="http://test/api/v1") as http,
        ):

            async def get(login: str, path: str) -> Any:
                if login not in tokens:
                    form = {"grant_type": "password", "username": login, "password": PASSWORD}
                    signed_in = await http.post("/auth/token", data=form)
                    assert signed_in.status_code == 200, signed_in.text
                    tokens[login] = signed_in.json()["access_token"]
                answer = await http.get(path, headers={"Authorization": f"Bearer {tokens[login]}"})
                assert answer.status_code == 200, answer.text
                return answer.json()

            tokens: dict[str, str] = {}
            (area,) = await get(f"sim-{COMMITTEE}-1", "/sync/areas")
            pulled = (await get(f"sim-{COMMITTEE}-1", f"/sync/areas/{area['id']}"))["upserts"]
            assert len(pulled["households"]["i"]) == area["household_count"] > 50
            coverage = await get("sim-9901", f"/coverage?area=990100000000&round={made.city.round_id}")
            assert coverage["total"]["households"] == WANTED.households
            assert 0 < coverage["total"]["persons_done"] < coverage["total"]["persons"]
            ((number,),) = rows_of(made.url, "SELECT id_sealed FROM resident WHERE id_kind = 'resident_id' LIMIT 1")
            typed = quote(crypto.open_text(number, people.RESIDENT_ID) or "")
            assert len((await get("sim-9901", f"/residents?q={typed}"))["items"]) == 1
            assert (await get(f"sim-{COMMITTEE}", f"/care-households?community_code={COMMITTEE}"))["items"]


class TestPlanner:
    @pytest.mark.parametrize("table", ["dwelling", "household", "resident"])
    def test_it_knows_how_large_a_community_is_behind_its_policy(self, made: Made, table: str) -> None:
        """If it thinks a community nearly empty, it joins its doors and households by a loop within a loop."""
        options = f"-c role={APP_ROLE} -c app.scope={COMMITTEE}"
        with psycopg.connect(made.url, options=options) as connection:
            query = f"SELECT * FROM {table} WHERE community_code = '{COMMITTEE}'"
            (plan,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}".encode()).fetchone() or ([],)
        found = plan[0]["Plan"]
        assert found["Plan Rows"] >= found["Actual Rows"] / 4 > 20


class TestPeople:
    def test_they_are_as_many_and_as_old_as_the_census_counted(self) -> None:
        draw = Draw("census")
        homes = [family(draw, is_village=draw.next() > 0.68) for _ in range(12_000)]
        dormitories = [collective(draw) for _ in range(150)]
        ages = [one.age for home in homes + dormitories for one in home.members]
        men = sum(one.sex == MALE for home in homes + dormitories for one in home.members)
        assert sum(len(home.members) for home in homes) / len(homes) == pytest.approx(2.69, abs=0.05)
        assert sum(age < 15 for age in ages) / len(ages) == pytest.approx(0.166, abs=0.015)
        assert sum(age >= 60 for age in ages) / len(ages) == pytest.approx(0.2, abs=0.015)
        assert men / len(ages) == pytest.approx(0.502, abs=0.02)

    def test_names_are_searched_by_the_letters_the_registry_gives_them(self) -> None:
        draw = Draw("names")
        for _ in range(3_000):
            name = name_person(draw, draw.pick(SURNAMES), draw.between(1, 2), draw.between(1920, 2026))
            assert (name.initials, name.pinyin) == (initials(name.text), pinyin(name.text))

    def test_a_city_of_jinans_size(self) -> None:
        communities, households = SIZES[Size.XL]
        plans = plan_communities(invented_tree(communities), households, 1)
        assert sum(plan.families + plan.collectives for plan in plans) == households
        assert len({plan.code for plan in plans}) == len(plans) == 5_758


class TestCommandLine:
    @pytest.fixture(autouse=True)
    def own_settings(self) -> Iterator[None]:
        get_settings.cache_clear()
        yield
        get_settings.cache_clear()

    def run(self, monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> Result:
        """`pioneer simulate` over a database."""
        monkeypatch.setenv("PIONEER_DATABASE_URL", url)
        return CliRunner().invoke(cli.app, ["simulate", *words])

    def test_it_goes_into_an_empty_database_only(self, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
        refused = self.run(monkeypatch, database_url, "--communities", "1")
        assert refused.exit_code == 2
        assert "This database is in use; an invented city goes into an empty one only." in refused.output

    def test_it_makes_a_city_prints_accounts_and_refuses_a_second(
        self, monkeypatch: pytest.MonkeyPatch, empty_url: str, tmp_path: Any
    ) -> None:
        tree = tmp_path / "tree.csv"
        tree.write_text("code,name,level\n" + "".join(f"{e.code},{e.name},{e.level}\n" for e in TREE))
        words = ("--communities", "1", "--divisions", str(tree), "--on", "2026-03-01", "--workers", "1")
        done = self.run(monkeypatch, empty_url, *words)
        assert done.exit_code == 0, done.output
        assert "1 communities, 538 households, as of 2026-03-01" in done.output
        assert f"password {PASSWORD}" in done.output
        assert f"sim-{COMMITTEE}-1" in done.output
        assert self.run(monkeypatch, empty_url, *words).exit_code == 2
        # a city with known passwords is served on this machine only
        monkeypatch.setenv("PIONEER_HOST", "0.0.0.0")
        get_settings.cache_clear()
        refused = CliRunner().invoke(cli.app, ["serve"])
        assert "known passwords and will not be served on 0.0.0.0" in refused.output

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "Say how large"),
            (("--size", "S", "--communities", "2"), "Say how large"),
            (("--communities", "2", "--on", "yesterday"), "isoformat"),
        ],
    )
    def test_it_says_what_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, database_url: str, words: tuple[str, ...], said: str
    ) -> None:
        refused = self.run(monkeypatch, database_url, *words)
        assert refused.exit_code == 2
        assert said in refused.output
