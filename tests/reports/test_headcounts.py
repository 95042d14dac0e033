"""Headcounts out miss nothing; expected counts in replace and never add."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from app.audit import service as audit
from app.core.clock import today
from app.core.db import EVERYWHERE, Database
from app.core.paging import decode_cursor, encode_cursor
from app.reports.schemas import HeadcountRead
from tests.makers import door_visit, make_homes, make_round, push, stair_of
from tests.personas import CITY, DISTRICT, FAR_DISTRICT, STREET, A, B, C, Caller

DAY = today().isoformat()


async def headcounts_of(call: Caller, who: str = "client", area: str = DISTRICT, **params: Any) -> dict[str, Any]:
    """An answer, held against its declared shape."""
    answer = await call(who, "GET", "/headcounts", params={"area": area} | params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    HeadcountRead.model_validate(body)
    return body


def codes(body: dict[str, Any]) -> list[str]:
    """The communities an answer speaks of."""
    return [item["code"] for item in body["items"]]


async def put(call: Caller, items: list[dict[str, Any]], who: str = "client", **about: Any) -> dict[str, Any]:
    """Push expected counts; answers what came of it."""
    answer = await call(
        who, "PUT", "/headcounts/expected", json={"source": "公安", "as_of": DAY, "items": items} | about
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def expected_of(call: Caller, area: str) -> dict[str, Any] | None:
    """What coverage says there should be."""
    answer = await call("city", "GET", "/coverage", params={"area": area})
    found: dict[str, Any] | None = answer.json()["total"]["expected"]
    return found


class TestGetHeadcounts:
    async def test_registered_and_screened_by_community(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"], persons=3))
        figures = ("code", "name", "households", "residents", "screened")
        before = (await headcounts_of(call))["items"]
        assert [tuple(i[f] for f in figures) for i in before] == [
            (A, "甲社区", 2, 6, None),
            (B, "乙社区", None, None, None),
        ]
        round_id = await make_round(call)
        await push(call, "committee", door_visit(homes[0], round_id), door_visit(homes[1], round_id, "no_answer"))
        after = (await headcounts_of(call))["items"]
        assert [tuple(i[f] for f in figures) for i in after] == [
            (A, "甲社区", 2, 6, 3),
            (B, "乙社区", None, None, None),
        ]
        (street,) = (await headcounts_of(call, level="town"))["items"]
        assert (street["code"], street["level"], street["screened"]) == (STREET, "town", 3)

    async def test_screened_is_of_the_newest_round_that_covers_the_community(
        self, call: Caller, database: Database
    ) -> None:
        homes = {c: await make_homes(database, c, stair_of("3", "2", ["101"])) for c in (A, C)}
        wide = await make_round(call)
        await push(call, "city", *(door_visit(homes[c][0], wide) for c in (A, C)))
        await make_round(call, STREET, "street")
        screened = {i["code"]: i["screened"] for i in (await headcounts_of(call, "city", CITY))["items"]}
        assert screened == {A: 0, B: None, C: 2}
        by_district = (await headcounts_of(call, "city", CITY, level="district"))["items"]
        assert [i["screened"] for i in by_district] == [2, 2]

    async def test_the_same_answer_is_not_sent_twice(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101"]))
        round_id = await make_round(call)
        first = await call("client", "GET", "/headcounts", params={"area": DISTRICT})
        held = {"If-None-Match": first.headers["etag"]}
        again = await call("client", "GET", "/headcounts", params={"area": DISTRICT}, headers=held)
        assert (again.status_code, again.content) == (304, b"")
        await push(call, "committee", door_visit(homes[0], round_id))
        changed = await call("client", "GET", "/headcounts", params={"area": DISTRICT}, headers=held)
        assert changed.status_code == 200
        assert changed.headers["etag"] != first.headers["etag"]

    async def test_since_answers_what_changed(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        token = (await headcounts_of(call))["since_token"]
        assert codes(await headcounts_of(call, since=token)) == []
        await make_homes(database, B, stair_of("1", "1", ["101"]))
        assert codes(await headcounts_of(call, since=token)) == [B]
        (street,) = (await headcounts_of(call, since=token, level="town"))["items"]
        assert street["households"] == 2

    async def test_since_misses_no_transaction_that_was_running(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        """B's transaction begins first and commits last; the answer made between must not step over it."""
        with psycopg.connect(database_url) as slow, psycopg.connect(database_url) as quick:
            slow.execute("SELECT advance_clock(%s, 0, 0, 7, 0, 0)", (B,))
            quick.execute("SELECT advance_clock(%s)", (A,))
            quick.commit()
            between = await headcounts_of(call)
            quick.execute("SELECT advance_clock(%s)", (A,))
            quick.commit()
            still = await headcounts_of(call, since=between["since_token"])
            assert B not in codes(still)
            slow.commit()
        assert B in codes(await headcounts_of(call, since=between["since_token"]))
        assert B in codes(await headcounts_of(call, since=still["since_token"]))

    async def test_since_asks_for_all_when_a_round_opens_or_closes(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        token = (await headcounts_of(call))["since_token"]
        round_id = await make_round(call)
        opened = await headcounts_of(call, since=token)
        assert codes(opened) == [A, B]
        assert opened["items"][0]["screened"] == 0
        assert codes(await headcounts_of(call, since=opened["since_token"])) == []
        assert (await call("city", "POST", f"/rounds/{round_id}/close")).is_success
        closed = await headcounts_of(call, since=opened["since_token"])
        assert closed["items"][0]["screened"] is None

    async def test_pages_share_the_token_of_the_first(self, call: Caller, database: Database) -> None:
        first = await headcounts_of(call, limit=1)
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        second = await headcounts_of(call, limit=1, cursor=first["next_cursor"])
        assert (codes(first), codes(second), second["next_cursor"]) == ([A], [B], None)
        assert second["since_token"] == first["since_token"]
        assert codes(await headcounts_of(call, since=second["since_token"])) == [A]

    @pytest.mark.parametrize("since", ["nonsense", "WzFd", "WyJhIiwiYiJd", "Wy0xLCIiXQ", "WzFlOTksIiJd"])
    async def test_a_foreign_token_is_refused(self, call: Caller, since: str) -> None:
        answer = await call("client", "GET", "/headcounts", params={"area": DISTRICT, "since": since})
        assert (answer.status_code, answer.json()["code"]) == (422, "since_invalid")

    async def test_a_token_from_another_life_of_the_database_asks_for_all(self, call: Caller) -> None:
        fresh = (await headcounts_of(call))["since_token"]
        _, rounds = decode_cursor(fresh, int, str)
        assert codes(await headcounts_of(call, since=fresh)) == []
        assert codes(await headcounts_of(call, since=encode_cursor(2**60, rounds))) == [A, B]

    @pytest.mark.parametrize(
        ("who", "area", "status"),
        [
            ("client", FAR_DISTRICT, 404),
            ("far_client", DISTRICT, 404),
            ("worker", A, 403),
            ("viewer", STREET, 200),
            ("committee", A, 200),
            ("client", CITY, 404),
        ],
    )
    async def test_who_may_ask_for_what(self, call: Caller, who: str, area: str, status: int) -> None:
        assert (await call(who, "GET", "/headcounts", params={"area": area})).status_code == status


class TestPutExpectedHeadcounts:
    async def test_coverage_says_registered_of_expected_with_the_source(self, call: Caller, database: Database) -> None:
        await make_homes(database, A, stair_of("3", "2", ["101"]))
        items = [
            {"community_code": A, "households": 31, "residents": 90},
            {"community_code": B, "households": 9},
        ]
        assert await put(call, items) == {"accepted": 2, "unchanged": 0, "rejected": []}
        assert await expected_of(call, STREET) == {
            "households": 40, "persons": 90, "communities": 2, "source": "公安", "as_of": DAY,
        }  # fmt: skip
        assert await expected_of(call, FAR_DISTRICT) is None
        # what they came to is kept until somebody enters another one
        await put(call, [{"community_code": A, "households": 33, "residents": 90}])
        again = await expected_of(call, STREET)
        assert again is not None
        assert again["households"] == 42

    async def test_sent_twice_it_says_nothing_new_and_leaves_no_trail(self, call: Caller, database: Database) -> None:
        items = [{"community_code": A, "households": 31, "residents": 90}]
        await put(call, items)
        clock = await version_of(database, A)
        count, _ = await audit.verify_chains(database)
        assert await put(call, items) == {"accepted": 0, "unchanged": 1, "rejected": []}
        assert await version_of(database, A) == clock
        assert (await audit.verify_chains(database))[0] == count

    async def test_the_same_source_and_day_replaces_and_never_adds(self, call: Caller) -> None:
        await put(call, [{"community_code": A, "households": 31}])
        await put(call, [{"community_code": A, "households": 30}])
        found = await expected_of(call, A)
        assert found is not None
        assert found["households"] == 30

    async def test_the_newest_day_counts_whatever_order_days_arrive_in(self, call: Caller) -> None:
        yesterday = (today() - timedelta(days=1)).isoformat()
        await put(call, [{"community_code": A, "households": 31}])
        await put(call, [{"community_code": A, "households": 1}], source="统计", as_of=yesterday)
        await put(call, [{"community_code": B, "households": 5}], source="统计", as_of=yesterday)
        found = await expected_of(call, STREET)
        assert found == {
            "households": 36, "persons": None, "communities": 2, "source": "公安 + 统计", "as_of": yesterday,
        }  # fmt: skip

    async def test_of_one_day_the_last_word_counts_and_a_figure_can_be_taken_back(self, call: Caller) -> None:
        await put(call, [{"community_code": A, "households": 31}])
        await put(call, [{"community_code": A, "households": 40}], source="统计")
        found = await expected_of(call, A)
        assert found is not None
        assert (found["households"], found["source"]) == (40, "统计")
        await put(call, [{"community_code": A}], source="统计")
        found = await expected_of(call, A)
        assert found is not None
        assert (found["households"], found["source"]) == (31, "公安")
        await put(call, [{"community_code": A}])
        assert await expected_of(call, A) is None

    async def test_what_is_not_theirs_is_rejected_and_the_rest_taken(self, call: Caller, database: Database) -> None:
        items = [
            {"community_code": A, "households": 31},
            {"community_code": C, "households": 2},
            {"community_code": "990101001999", "households": 3},
            {"community_code": STREET, "households": 4},
            {"community_code": B, "households": 5},
            {"community_code": B, "households": 6},
        ]
        assert await put(call, items) == {
            "accepted": 1,
            "unchanged": 0,
            "rejected": [
                {"community_code": STREET, "code": "community_unknown"},
                {"community_code": B, "code": "community_repeated"},
                {"community_code": "990101001999", "code": "community_unknown"},
                {"community_code": C, "code": "community_unknown"},
            ],
        }
        assert await version_of(database, C) == 0

    async def test_each_community_has_its_entry_and_a_new_version(self, call: Caller, database: Database) -> None:
        token = (await headcounts_of(call))["since_token"]
        await put(call, [{"community_code": code, "residents": 8} for code in (B, A)])
        assert [await version_of(database, code) for code in (A, B, C)] == [1, 1, 0]
        assert codes(await headcounts_of(call, since=token)) == [A, B]
        for who, code in (("committee", A), ("other_committee", B)):
            answer = await call(who, "GET", "/audit-entries", params={"community_code": code})
            newest = answer.json()["items"][0]
            assert (newest["action"], newest["actor_name"], newest["subject_count"]) == (
                "put_expected_headcounts", "client 某", 1,
            )  # fmt: skip
        assert (await audit.verify_chains(database))[1] == []

    @pytest.mark.parametrize(
        ("who", "status"),
        [("viewer", 403), ("worker", 403), ("committee", 403), ("street", 403), (None, 401), ("district", 200)],
    )
    async def test_who_may_say_how_many_there_should_be(self, call: Caller, who: str | None, status: int) -> None:
        body = {"source": "公安", "as_of": DAY, "items": [{"community_code": A, "households": 1}]}
        assert (await call(who, "PUT", "/headcounts/expected", json=body)).status_code == status

    @pytest.mark.parametrize(
        "bad",
        [
            {"source": ""},
            {"source": "公\x00安"},
            {"as_of": "gestern"},
            {"as_of": (today() + timedelta(days=1)).isoformat()},
            {"items": [{"community_code": A, "households": -1}]},
            {"items": [{"community_code": A, "households": 3_000_000_000}]},
            {"items": [{"community_code": "12"}]},
            {"items": [{"community_code": A, "doors": 3}]},
        ],
    )
    async def test_bad_input_is_named(self, call: Caller, bad: dict[str, Any]) -> None:
        body = {"source": "公安", "as_of": DAY, "items": [{"community_code": A, "households": 1}]} | bad
        answer = await call("client", "PUT", "/headcounts/expected", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


async def version_of(database: Database, code: str) -> int:
    """Where a community's clock stands."""
    async with database.session(EVERYWHERE) as session:
        statement = text("SELECT version FROM community_clock WHERE community_code = :c")
        return int((await session.execute(statement, {"c": code})).scalar_one())
