"""A household reports by its code: the challenge, what it counts for, one tap that confirms it."""

import re
from datetime import timedelta
from typing import Any

from app.core.clock import now, today
from app.core.db import Database
from app.privacy import retention
from tests.makers import Home, answers_on, command, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.makers import report_by_code as report
from tests.personas import A, B, Caller
from tests.rounds.asking import open_round
from tests.test_tally import pioneer

MISSES = ("2026-02-01T09:00:00+08:00", "2026-02-01T14:00:00+08:00", "2026-02-01T19:00:00+08:00")
HOT: dict[str, Any] = {"status_0": "symptoms", "temperature_0": "38。0", "symptoms_0": ["fever", "cough"]}


async def ground(call: Caller, database: Database) -> tuple[list[Home], str, str, str]:
    """Two doors that a worker holds, three misses at the first, its notice printed: the code's address."""
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    area = await make_area(call, homes, "worker")
    round_id = await make_round(call)
    await push(call, "worker", *(door_visit(homes[0], round_id, "no_answer", recorded_at=at) for at in MISSES))
    return homes, round_id, area["id"], await printed(call, homes[0], round_id)


async def printed(call: Caller, home: Home, round_id: str) -> str:
    """The address in the QR of a notice."""
    body = {"community_code": A, "round_id": round_id, "household_ids": [str(home.id)]}
    url: str = (await call("committee", "POST", "/door-notices/print", json=body)).json()["items"][0]["url"]
    return url


async def try_code(call: Caller, url: str, room: str, surname: str) -> tuple[int, str]:
    """The challenge's answer: status and page."""
    answer = await call.http.post("/h/" + url.rsplit("/", 1)[1], data={"room": room, "surname": surname})
    return answer.status_code, answer.text


async def listed(call: Caller, **params: Any) -> list[dict[str, Any]]:
    """The committee's self-reports."""
    answer = await call("committee", "GET", "/self-reports", params={"community_code": A} | params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def follow_ups(call: Caller) -> list[dict[str, Any]]:
    """The committee's open follow-ups."""
    answer = await call("committee", "GET", "/follow-ups", params={"community_code": A, "is_open": True})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


BEEN_ASKED = {
    "id": "been", "text": "到过望江县？", "kind": "yes_no", "is_required": True, "definition": "到过即是",
    "owner": "区防控办",
}  # fmt: skip
BEEN = {"question": "been", "value": False}


async def open_asking(call: Caller, homes: list[Home]) -> str:
    """A round for these households, with one question that must be answered."""
    named = [str(home.id) for home in homes]
    return await open_round(
        call, "committee", A, target="list", household_ids=named, questions=[BEEN_ASKED], standard=[]
    )


def confirmation(home: Home, round_id: str, self_report_id: str, **answered: Any) -> dict[str, Any]:
    """The worker's one tap."""
    payload = {"household_id": str(home.id), "round_id": round_id, "self_report_id": self_report_id, **answered}
    return command("screening.confirm_self_report", payload, recorded_at=now().isoformat())


class TestChallenge:
    async def test_every_code_shows_the_same_page_and_a_wrong_answer_says_nothing(
        self, call: Caller, database: Database
    ) -> None:
        _, _, _, url = await ground(call, database)
        path = "/h/" + url.rsplit("/", 1)[1]
        pages = {(await call.http.get(one)).text for one in (path, "/h/" + "a" * 32, "/h/x")}
        assert len(pages) == 1
        wrong = [
            await try_code(call, url, "102", "甲"),
            await try_code(call, url, "101", "王"),
            await try_code(call, url, "", ""),
            await try_code(call, "/" + "a" * 32, "101", "甲"),
            await try_code(call, "/x", "101", "甲"),
        ]
        assert {status for status, _ in wrong} == {403}
        # what was typed stands there again; which of it was wrong is not said
        assert 'value="102"' in wrong[0][1]
        assert len({re.sub(r'value="[^"]*"', "", page) for _, page in wrong}) == 1
        entries = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert [entry["action"] for entry in entries[:3]] == ["fail_code_challenge"] * 3

    async def test_the_questions_name_nobody(self, call: Caller, database: Database) -> None:
        _, _, _, url = await ground(call, database)
        status, page = await try_code(call, url, "101室", "甲")
        assert (status, "甲**" in page, "乙**" in page) == (200, True, True)
        # the sealed ticket is a thousand digits, among which any four may stand
        shown = page.replace(answers_on(page)["ticket"], "")
        for secret in ("甲32101", "乙032101", "13812345678", "3号楼", "配偶", "1960"):
            assert secret not in shown
        headers = (await call.http.get("/h/x")).headers
        assert (headers["cache-control"], headers["x-robots-tag"]) == ("no-store", "noindex")
        assert "default-src 'none'" in headers["content-security-policy"]

    async def test_it_is_bounded_and_a_replaced_code_opens_nothing(self, call: Caller, database: Database) -> None:
        homes, round_id, _, url = await ground(call, database)
        assert (await call("committee", "POST", f"/households/{homes[0].id}/replace-code")).status_code == 204
        assert (await try_code(call, url, "101", "甲"))[0] == 403
        fresh = await printed(call, homes[0], round_id)
        answers = [(await try_code(call, fresh, "101", "李"))[0] for _ in range(7)]
        assert answers == [403] * 6 + [429]
        assert (await try_code(call, fresh, "101", "甲"))[0] == 429

    async def test_one_challenge_is_good_for_one_report(self, call: Caller, database: Database) -> None:
        homes, _, _, url = await ground(call, database)
        _, page = await try_code(call, url, "101", "甲")
        form = answers_on(page)
        sent = [await call.http.post("/h/report", data=form) for _ in range(2)]
        assert [(one.status_code, "已经收到过" in one.text) for one in sent] == [(200, False), (409, True)]
        for forged in ("", "00", form["ticket"][:-2] + "00", "zz"):
            assert (await call.http.post("/h/report", data=form | {"ticket": forged})).status_code == 409
        _, page = await try_code(call, url, "101", "甲")
        hot = await call.http.post("/h/report", data=answers_on(page) | {"temperature_0": "382"})
        assert (hot.status_code, "34.0" in hot.text) == (200, False)
        # a fever is a symptom, whatever was ticked beside it
        said = (await listed(call, is_waiting=True))[0]["persons"][0]
        assert (said["status"], said["temperature_c"], said["symptoms"]) == ("symptoms", 38.2, ["fever"])
        _, page = await try_code(call, url, "101", "甲")
        # what was typed stands there again, and whose temperature it is
        typed = {"status_0": "symptoms", "symptoms_0": ["cough"], "temperature_0": "20", "note": "咳<两天>"}
        bad = await call.http.post("/h/report", data=answers_on(page) | typed)
        assert (bad.status_code, "第 1 位的体温" in bad.text) == (422, True)
        ticked = ('name="status_0" value="symptoms" checked', 'name="symptoms_0" value="cough" checked')
        for kept in (*ticked, 'placeholder="36.5" value="20"', "咳&lt;两天&gt;"):
            assert kept in bad.text
        await call("committee", "POST", f"/households/{homes[0].id}/replace-code")
        late = await call.http.post("/h/report", data=answers_on(page))
        assert (late.status_code, "没有收到" in late.text) == (409, True)


class TestSelfReport:
    async def test_it_counts_for_nothing_until_confirmed_and_then_once(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, round_id, area, url = await ground(call, database)
        assert (await report(call, url, "101", "甲", **HOT, note="咳了两天")).status_code == 200
        total = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
        assert (total["households_done"], total["persons_done"], total["symptoms"]) == (0, 0, 0)
        (found,) = await follow_ups(call)
        assert (found["is_self_reported"], found["source"], found["temperature_c"]) == (True, "self_report", 38.0)
        assert found["reasons"] == ["temperature", "symptoms"]
        (said,) = await listed(call, is_waiting=True)
        assert (said["note"], said["persons"][0]["temperature_c"], said["holder_name"]) == (
            "咳了两天",
            38.0,
            "worker 某",
        )
        flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()
        assert (flags["self_reports"], flags["follow_ups"], flags["door_notices"]) == (1, 1, 1)
        pulled = (await call("worker", "GET", f"/sync/areas/{area}")).json()["upserts"]["reports"]
        assert (pulled["i"], pulled["p"][0][0]["status"]) == ([said["id"]], "symptoms")

        tap = confirmation(homes[0], round_id, said["id"])
        answers = [(await push(call, "worker", tap))[0] for _ in range(2)]
        assert [(a["status"], a["code"]) for a in answers] == [("accepted", None), ("duplicate", None)]
        other = confirmation(homes[0], round_id, said["id"])
        assert (await push(call, "worker", other))[0]["status"] == "accepted"
        total = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
        assert (total["households_done"], total["persons_done"], total["symptoms"]) == (1, 2, 1)
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        assert [v["self_report_id"] for v in visits if v["id"] == tap["id"]] == [said["id"]]
        assert len(visits) == 4
        (found,) = await follow_ups(call)
        assert (found["is_self_reported"], found["finding_count"]) == (False, 2)
        assert await listed(call, is_waiting=True) == []
        assert (await call("committee", "GET", "/door-notices", params={"community_code": A})).json()["items"] == []
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")

    async def test_a_follow_up_closed_meanwhile_is_not_opened_anew_by_the_tap(
        self, call: Caller, database: Database
    ) -> None:
        homes, round_id, _, url = await ground(call, database)
        await report(call, url, "101", "甲", **HOT)
        (found,) = await follow_ups(call)
        await call("committee", "POST", f"/follow-ups/{found['id']}/close", json={"outcome": "taken_to_clinic"})
        (said,) = await listed(call)
        await push(call, "worker", confirmation(homes[0], round_id, said["id"]))
        assert await follow_ups(call) == []

    async def test_asked_anew_or_reported_anew_it_waits_no_longer(self, call: Caller, database: Database) -> None:
        homes, round_id, area, url = await ground(call, database)
        await report(call, url, "101", "甲")
        await report(call, url, "101", "甲", note="更正")
        newest, older = await listed(call)
        assert (newest["is_waiting"], older["status"]) == (True, "replaced")
        late = await push(call, "worker", confirmation(homes[0], round_id, older["id"]))
        assert (late[0]["status"], late[0]["code"]) == ("rejected", "self_report_gone")
        await push(call, "worker", door_visit(homes[0], round_id, recorded_at=now().isoformat()))
        assert await listed(call, is_waiting=True) == []
        assert (await call("worker", "GET", f"/sync/areas/{area}")).json()["upserts"]["reports"]["i"] == []

    async def test_the_desk_sets_one_aside(self, call: Caller, database: Database) -> None:
        homes, round_id, _, url = await ground(call, database)
        await report(call, url, "101", "甲")
        (said,) = await listed(call)
        path = f"/self-reports/{said['id']}/set-aside"
        for who, status in {None: 401, "worker": 403, "other_committee": 404}.items():
            assert (await call(who, "POST", path)).status_code == status
        assert (await call("committee", "POST", path)).json()["status"] == "set_aside"
        again = await call("committee", "POST", path)
        assert (again.status_code, again.json()["code"]) == (409, "self_report_settled")
        late = await push(call, "worker", confirmation(homes[0], round_id, said["id"]))
        assert late[0]["code"] == "self_report_gone"
        assert (await call("other_committee", "GET", "/self-reports", params={"community_code": B})).json()[
            "items"
        ] == []

    async def test_it_is_of_the_round_whose_notice_hangs_at_the_door(self, call: Caller, database: Database) -> None:
        homes, whole, _, url = await ground(call, database)
        listed_round = await open_asking(call, homes[:1])
        # without a notice of its own the list does not draw the report away
        await report(call, url, "101", "甲")
        assert (await listed(call))[0]["round_id"] == whole
        await push(call, "worker", *(door_visit(homes[0], listed_round, "no_answer", recorded_at=at) for at in MISSES))
        await push(call, "worker", door_visit(homes[0], whole, recorded_at="2026-02-02T09:00:00+08:00"))
        await report(call, url, "101", "甲")
        said = (await listed(call))[0]
        assert said["round_id"] == listed_round
        tap = confirmation(homes[0], listed_round, said["id"], form_version=1, answers=[BEEN])
        (result,) = await push(call, "worker", tap)
        assert (result["status"], result["code"]) == ("accepted", None)
        assert (await call("committee", "GET", "/door-notices", params={"community_code": A})).json()["items"] == []
        counts = await call("committee", "GET", f"/rounds/{listed_round}/answers", params={"area": A})
        (count,) = counts.json()["items"]
        assert (count["question"], count["value"], count["count"]) == ("been", "false", 1)

    async def test_a_required_question_left_out_flags_the_confirmation(self, call: Caller, database: Database) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
        await make_area(call, homes, "worker")
        asking = await open_asking(call, homes)
        for home, said in ((homes[0], {}), (homes[1], {"form_version": 1, "answers": []})):
            await push(call, "worker", *(door_visit(home, asking, "no_answer", recorded_at=at) for at in MISSES))
            await report(call, await printed(call, home, asking), home.room, "甲")
            one = (await listed(call))[0]
            (result,) = await push(call, "worker", confirmation(home, asking, one["id"], **said))
            assert (result["status"], result["code"]) == ("flagged", "answer_missing"), said
        flagged = {"community_code": A, "is_flagged": True}
        visits = (await call("committee", "GET", "/door-visits", params=flagged)).json()["items"]
        assert [[(a["question"], a["fault"]) for a in one["answers"]] for one in visits] == [
            [("been", "answer_missing")],
            [("been", "answer_missing")],
        ]

    async def test_the_desk_confirms_where_nobody_holds_the_door(
        self, call: Caller, database: Database, database_url: str
    ) -> None:
        homes, _, area, _ = await ground(call, database)
        asking = await open_asking(call, homes[:1])
        await push(call, "worker", *(door_visit(homes[0], asking, "no_answer", recorded_at=at) for at in MISSES))
        await report(call, await printed(call, homes[0], asking), "101", "甲")
        (said,) = await listed(call)
        path = f"/self-reports/{said['id']}/confirm"
        body = {"form_version": 1, "answers": [BEEN]}
        for who, status in {None: 401, "worker": 403, "other_committee": 404}.items():
            assert (await call(who, "POST", path, json=body)).status_code == status
        held = await call("committee", "POST", path, json=body)
        assert (held.status_code, held.json()["code"]) == (409, "door_held")
        await call("committee", "POST", f"/responsibility-areas/{area}/release")
        done = await call("committee", "POST", path, json=body)
        assert (done.status_code, done.json()["status"]) == (200, "confirmed"), done.text
        again = await call("committee", "POST", path, json=body)
        assert (again.status_code, again.json()["code"]) == (409, "self_report_settled")
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        (visit,) = [one for one in visits if one["self_report_id"] == said["id"]]
        assert (visit["is_flagged"], visit["outcome"], visit["actor_name"]) == (False, "answered_all", "committee 某")
        assert [(one["question"], one["value"]) for one in visit["answers"]] == [("been", False)]
        assert pioneer(database_url, "tally", "verify") == (0, "0 tallies differ\n")

    async def test_it_ends_on_its_day(self, call: Caller, database: Database) -> None:
        _, _, area, url = await ground(call, database)
        await report(call, url, "101", "甲", **HOT, note="咳了两天")
        done = await retention.run_retention(database, today() + timedelta(days=90))
        assert {d.kind.value: d.count for d in done}["self_reports"] == 1
        (said,) = await listed(call)
        assert (said["persons"], said["note"], said["is_waiting"]) == ([], None, False)
        assert (await call("worker", "GET", f"/sync/areas/{area}")).json()["upserts"]["reports"]["i"] == []
