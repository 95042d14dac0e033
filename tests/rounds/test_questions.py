"""Own questions of a round over HTTP: written, published, answered from a phone, counted, corrected, deleted."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.privacy import retention
from app.rounds.service import keep_rounds
from tests.makers import Home, door_visit, make_area, make_homes, make_round, push, stair_of
from tests.personas import CITY, STREET, A, B, Caller
from tests.rounds.asking import CAME, HEATING, MASKS, QUESTIONS, WHEN, WISH, answered, content, cost_of, open_round


def nobody_came(home: Home) -> list[dict[str, Any]]:
    return [{"question": "back", "resident_id": str(one), "value": False} for one in home.residents]


async def two_homes(call: Caller, database: Database) -> list[Home]:
    homes = await make_homes(database, A, stair_of("3", "2", ["101", "102"]))
    await make_area(call, homes, "worker")
    return homes


async def counts(call: Caller, round_id: str, who: str = "committee", **query: Any) -> dict[tuple[str, str], int]:
    found = (await call(who, "GET", f"/rounds/{round_id}/answers", params=query)).json()["items"]
    return {(one["question"], one["value"]): one["count"] for one in found}


class TestWriting:
    async def test_a_draft_is_published_by_who_has_seen_what_it_costs(self, call: Caller, database: Database) -> None:
        await two_homes(call, database)
        draft = await call("committee", "POST", "/rounds", json=content(division_code=A, is_draft=True))
        round_id = draft.json()["id"]
        assert (draft.json()["status"], draft.json()["question_count"]) == ("draft", 5)
        estimate = (await call("committee", "GET", f"/rounds/{round_id}")).json()["estimate"]
        assert (estimate["doors"], estimate["persons"]) == (2, 4)
        # 40 s to the door, 9 + 11 + 25 s for the household; of each person 10 s for the temperature, 6 + half of 12
        assert (estimate["household_seconds"], estimate["person_seconds"]) == (85, 22)
        assert estimate["minutes"] == round((2 * 85 + 4 * 22) / 60)
        blind = await call("committee", "POST", f"/rounds/{round_id}/publish", json={"minutes": 999})
        assert (blind.status_code, blind.json()["code"]) == (409, "estimate_changed")
        seen = {"minutes": estimate["minutes"]}
        assert (await call("committee", "POST", f"/rounds/{round_id}/publish", json=seen)).json()["status"] == "open"
        again = await call("committee", "POST", f"/rounds/{round_id}/publish", json=seen)
        assert (again.status_code, again.json()["code"]) == (409, "round_not_draft")

    async def test_nobody_else_sees_a_draft_and_phones_do_not_work_on_it(
        self, call: Caller, database: Database
    ) -> None:
        homes = await two_homes(call, database)
        body = content(division_code=STREET, is_draft=True)
        round_id = (await call("street", "POST", "/rounds", json=body)).json()["id"]
        assert (await call("committee", "GET", f"/rounds/{round_id}")).status_code == 404
        assert (await call("committee", "GET", "/rounds")).json()["items"] == []
        assert (await call("worker", "GET", "/sync/areas")).json()[0]["rounds"] == []
        (result,) = await push(call, "worker", door_visit(homes[0], round_id))
        assert (result["status"], result["code"]) == ("rejected", "round_not_found")
        assert (await call("street", "DELETE", f"/rounds/{round_id}")).status_code == 204
        assert (await call("street", "GET", f"/rounds/{round_id}")).status_code == 404

    async def test_what_does_not_hang_together_is_told_by_field(self, call: Caller) -> None:
        bad = [
            {**CAME, "id": "std_x"},
            {**CAME, "definition": "", "owner": ""},
            {**WHEN, "shown_when": {"question": "heating", "values": ["coal"]}},
            {**HEATING, "options": []},
            {**MASKS, "most": -1},
            {**WISH, "place": {"name": "武汉"}},
        ]
        body = content(division_code=A, is_draft=True, questions=bad)
        answer = await call("committee", "POST", "/rounds", json=body)
        assert answer.status_code == 422
        assert {(e["field"], e["code"]) for e in answer.json()["errors"]} == {
            ("questions.0.id", "question_id_taken"),
            ("questions.2.shown_when", "question_condition"),
            ("questions.4.most", "question_bounds"),
            ("questions.5.place", "question_place"),
        }
        unfinished = [{**HEATING, "options": [], "text": "", "definition": "", "owner": ""}]
        draft = await call("committee", "POST", "/rounds", json=body | {"questions": unfinished})
        assert draft.status_code == 201
        refused = await call("committee", "POST", f"/rounds/{draft.json()['id']}/publish", json={"minutes": 0})
        codes = {e["code"] for e in refused.json()["errors"]}
        assert codes == {
            "question_text_missing", "question_definition_missing", "question_owner_missing", "question_options"
        }  # fmt: skip

    async def test_templates_are_kept_by_a_level_for_those_below(self, call: Caller) -> None:
        kept = {"name": "返济人员", "title": "返济人员排查", "questions": QUESTIONS, "standard": ["temperature"]}
        made = await call("street", "POST", "/round-templates", json=kept | {"division_code": STREET})
        assert made.status_code == 201, made.text
        await call("street", "POST", "/round-templates", json=kept | {"division_code": STREET, "questions": [WISH]})
        (found,) = (await call("committee", "GET", "/round-templates", params={"area": A})).json()["items"]
        assert (found["name"], found["question_count"], found["division_code"]) == ("返济人员", 1, STREET)
        assert found["questions"][0]["definition"] == "原话"
        assert (await call("committee", "DELETE", f"/round-templates/{found['id']}")).status_code == 404
        assert (await call("street", "DELETE", f"/round-templates/{found['id']}")).status_code == 204
        assert (await call("committee", "GET", "/round-templates", params={"area": A})).json()["items"] == []


class TestAnswering:
    async def test_a_phone_gets_the_questions_and_its_answers_are_read_and_counted(
        self, call: Caller, database: Database
    ) -> None:
        first, second = await two_homes(call, database)
        round_id = await open_round(call)
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        assert [(r["id"], r["revision"], r["is_day"]) for r in area["rounds"]] == [(round_id, 1, False)]
        form = (await call("worker", "GET", f"/sync/rounds/{round_id}", params={"area_id": area["id"]})).json()
        assert ([q["id"] for q in form["questions"]], form["version"]) == ([q["id"] for q in QUESTIONS], 1)
        assert (form["standard"], form["targets"]) == (["temperature"], None)
        came = [
            {"question": "back", "resident_id": str(first.residents[0]), "value": True},
            {"question": "back_on", "resident_id": str(first.residents[0]), "value": "2026-01-20"},
            {"question": "back", "resident_id": str(first.residents[1]), "value": False},
            {"question": "heating", "value": "coal"},
            {"question": "masks", "value": 20},
            {"question": "wish", "value": "想要些退烧药"},
        ]
        results = await push(
            call, "worker", answered(first, round_id, came),
            answered(second, round_id, [*nobody_came(second), {"question": "masks", "value": 5}]),
        )  # fmt: skip
        assert [r["status"] for r in results] == ["accepted", "accepted"], results
        query = {"community_code": A, "household_id": str(first.id)}
        (visit,) = (await call("committee", "GET", "/door-visits", params=query)).json()["items"]
        said = {(a["text"], a["resident_name"]): a["label"] or a["value"] for a in visit["answers"]}
        assert said[("取暖方式", None)] == "燃煤"
        assert said[("哪天回来", "甲32101")] == "2026-01-20"
        assert said[("还需要什么", None)] == "想要些退烧药"
        (far,) = (await call("city", "GET", "/door-visits", params=query)).json()["items"]
        assert [a["value"] for a in far["answers"] if a["question"] == "wish"] == [None]
        expected = {
            ("back", "true"): 1, ("back", "false"): 3, ("back_on", ""): 1, ("heating", "coal"): 1, ("masks", ""): 2,
            ("wish", ""): 1,
        }  # fmt: skip
        assert await counts(call, round_id, area=A) == expected
        assert await counts(call, round_id, "city", level="community") == expected
        found = (await call("city", "GET", f"/rounds/{round_id}/answers", params={"area": A})).json()["items"]
        masks = next(one for one in found if one["question"] == "masks")
        assert (masks["sum"], masks["least"], masks["most"]) == (25, "5", "20")
        assert "退烧药" not in str(found)
        assert await counts(call, round_id, "other_committee", area=B) == {}
        book = await call("committee", "GET", f"/rounds/{round_id}/answers.xlsx", params={"area": A})
        assert book.status_code == 200
        copy = (await call("committee", "GET", f"/residents/{first.residents[1]}/copy")).json()
        # of the other person in the household nothing is handed out
        own = [(a["question"], a["value"]) for a in copy["door_visits"][0]["answers"]]
        assert ("back", False) in own
        assert ("wish", "想要些退烧药") in own
        assert ("back", True) not in own

    async def test_a_newer_answer_counts_in_place_of_the_older_and_one_set_aside_no_longer(
        self, call: Caller, database: Database
    ) -> None:
        first, _ = await two_homes(call, database)
        round_id = await open_round(call)
        coal = [*nobody_came(first), {"question": "heating", "value": "coal"}]
        central = [*nobody_came(first), {"question": "heating", "value": "central"}]
        at = "2026-02-02T09:00:00+08:00"
        later = answered(first, round_id, central, again_reason="correction", recorded_at=at)
        # the newer comes in first
        await push(call, "worker", later)
        await push(call, "worker", answered(first, round_id, coal))
        assert (await counts(call, round_id, area=A)) == {("back", "false"): 2, ("heating", "central"): 1}
        flagged = answered(first, round_id, [], recorded_at="2026-02-03T09:00:00+08:00", again_reason="changed")
        (result,) = await push(call, "worker", flagged)
        assert (result["status"], result["code"]) == ("flagged", "answer_missing")
        body = {"verdict": "set_aside", "reason": "没有问"}
        judged = await call("committee", "POST", f"/door-visits/{flagged['id']}/judge", json=body)
        assert judged.is_success, judged.text
        assert (await counts(call, round_id, area=A))[("heating", "central")] == 1

    async def test_faults_flag_the_visit_and_nothing_that_was_said_is_lost(
        self, call: Caller, database: Database
    ) -> None:
        first, second = await two_homes(call, database)
        round_id = await open_round(call)
        one, other = map(str, first.residents)
        said = [
            {"question": "back", "resident_id": one, "value": True},
            {"question": "back", "resident_id": other, "value": "是的"},
            {"question": "heating", "value": "gas"},
            {"question": "masks", "value": 501},
            {"question": "nobody_asked", "value": "别的话"},
        ]
        (result,) = await push(call, "worker", answered(first, round_id, said))
        assert (result["status"], result["code"]) == ("flagged", "answer_value")
        query = {"community_code": A, "household_id": str(first.id)}
        (visit,) = (await call("committee", "GET", "/door-visits", params=query)).json()["items"]
        faults = {(a["question"], a["fault"], a["value"]) for a in visit["answers"]}
        assert faults == {
            ("back", None, True), ("back", "answer_value", "是的"), ("back_on", "answer_missing", None),
            ("heating", "answer_value", "gas"), ("masks", "answer_value", 501),
            ("nobody_asked", "answer_unexpected", "别的话"),
        }  # fmt: skip
        assert await counts(call, round_id, area=A) == {("back", "true"): 1}
        # the household is done all the same
        total = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
        assert total["households_done"] == 1
        unknown = answered(second, round_id, [{"question": "back", "value": "话"}], version=9)
        (result,) = await push(call, "worker", unknown)
        assert (result["status"], result["code"]) == ("flagged", "form_unknown")

    async def test_who_was_not_asked_is_asked_nothing(self, call: Caller, database: Database) -> None:
        first, second = await two_homes(call, database)
        round_id = await open_round(call)
        away = [{"resident_id": str(one), "status": "away"} for one in first.residents]
        unshown = door_visit(first, round_id, persons=away, again_reason="changed")
        results = await push(
            call, "worker", answered(first, round_id, [], persons=away), unshown,
            door_visit(second, round_id, "no_answer"),
        )  # fmt: skip
        assert [r["status"] for r in results] == ["accepted", "accepted", "accepted"]

    async def test_a_visit_of_a_phone_that_was_never_shown_what_must_be_answered_counts_and_is_looked_at(
        self, call: Caller, database: Database
    ) -> None:
        first, second = await two_homes(call, database)
        round_id = await open_round(call, questions=[HEATING])
        before = now().isoformat()
        asked = {**MASKS, "is_required": True}
        change = content(questions=[CAME, WHEN, HEATING, asked], reason="加问")
        change["minutes"] = await cost_of(call, "city", CITY, change)
        assert (await call("city", "PUT", f"/rounds/{round_id}", json=change)).is_success
        # what was required when it was recorded is due, and no more
        late = door_visit(second, round_id, recorded_at=now().isoformat())
        results = await push(call, "worker", door_visit(first, round_id, recorded_at=before), late)
        assert [(r["status"], r["code"]) for r in results] == [("accepted", None), ("flagged", "answer_missing")]
        (again,) = await push(call, "worker", late)
        assert (again["status"], again["code"]) == ("duplicate", "answer_missing")
        total = (await call("committee", "GET", "/coverage", params={"area": A})).json()["total"]
        assert (total["households_done"], total["persons_done"]) == (2, 4)
        flagged = {"community_code": A, "is_flagged": True}
        (visit,) = (await call("committee", "GET", "/door-visits", params=flagged)).json()["items"]
        assert (visit["id"], {one["status"] for one in visit["persons"]}) == (late["id"], {"well"})
        missing = {(one["question"], one["resident_id"], one["fault"], one["value"]) for one in visit["answers"]}
        people = {("back", str(one), "answer_missing", None) for one in second.residents}
        assert missing == {*people, ("masks", None, "answer_missing", None)}


class TestCorrecting:
    async def test_a_correction_is_a_new_version_and_answers_keep_theirs(
        self, call: Caller, database: Database
    ) -> None:
        first, second = await two_homes(call, database)
        round_id = await open_round(call)
        heating = {**HEATING, "text": "怎么取暖", "options": [{"id": "gas", "text": "燃气"}, HEATING["options"][1]]}
        change = content(questions=[CAME, heating], reason="加燃气")
        minutes = await cost_of(call, "city", CITY, change)
        for seen, code in ((None, "round_needs_estimate"), (minutes + 1, "estimate_changed")):
            unseen = await call("city", "PUT", f"/rounds/{round_id}", json=change | {"minutes": seen})
            assert unseen.json()["code"] == code
        corrected = await call("city", "PUT", f"/rounds/{round_id}", json=change | {"minutes": minutes})
        assert corrected.status_code == 200, corrected.text
        assert [(v["version"], v["reason"]) for v in corrected.json()["versions"]] == [(2, "加燃气"), (1, "")]
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        assert area["rounds"][0]["revision"] == 2
        # a phone that has not fetched it answers the older version
        old = [*nobody_came(first), {"question": "heating", "value": "central"}]
        new = [*nobody_came(second), {"question": "heating", "value": "gas"}]
        results = await push(call, "worker", answered(first, round_id, old), answered(second, round_id, new, version=2))
        assert [r["status"] for r in results] == ["accepted", "accepted"]
        found = (await call("committee", "GET", f"/rounds/{round_id}/answers", params={"area": A})).json()["items"]
        assert {one["label"]: one["count"] for one in found if one["question"] == "heating"} == {
            "集中供暖": 1,
            "燃气": 1,
        }
        query = {"community_code": A, "household_id": str(first.id)}
        (visit,) = (await call("committee", "GET", "/door-visits", params=query)).json()["items"]
        assert ("取暖方式", "集中供暖") in [(a["text"], a["label"]) for a in visit["answers"]]

    async def test_what_was_asked_keeps_its_meaning_and_what_people_were_sent_for_stays(self, call: Caller) -> None:
        round_id = await open_round(call)
        other = content(questions=[{**MASKS, "kind": "text", "least": None, "most": None}])
        answer = await call("city", "PUT", f"/rounds/{round_id}", json=other)
        assert (answer.status_code, answer.json()["code"]) == (422, "question_changed")
        answer = await call("city", "PUT", f"/rounds/{round_id}", json=content(rhythm="daily"))
        assert (answer.status_code, answer.json()["code"]) == (409, "round_running")
        longer = content(ends_on=(today() + timedelta(days=9)).isoformat(), title="返济人员排查（延长）")
        assert (await call("city", "PUT", f"/rounds/{round_id}", json=longer)).json()["version"] == 1


class TestTargets:
    async def test_a_round_for_a_tag_is_due_and_counted_at_those_doors_alone(
        self, call: Caller, database: Database
    ) -> None:
        first, second = await two_homes(call, database)
        tagged = {"tags": ["living_alone_elder"]}
        await call("committee", "PATCH", f"/households/{second.id}", json=tagged)
        round_id = await open_round(call, "committee", A, target="tags", **tagged)
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        form = (await call("worker", "GET", f"/sync/rounds/{round_id}", params={"area_id": area["id"]})).json()
        assert form["targets"] == [str(second.id)]
        params = {"area": A, "round": round_id}
        await push(call, "worker", door_visit(first, round_id))
        total = (await call("committee", "GET", "/coverage", params=params)).json()["total"]
        assert [total[k] for k in ("households", "households_done", "persons", "persons_missing")] == [1, 0, 2, 2]
        gaps = (await call("committee", "GET", "/coverage/gaps", params=params)).json()["items"]
        assert [gap["household_id"] for gap in gaps] == [str(second.id)]
        await push(call, "worker", door_visit(second, round_id))
        total = (await call("committee", "GET", "/coverage", params=params)).json()["total"]
        assert [total[k] for k in ("households", "households_done", "persons_done")] == [1, 1, 2]
        assert (await call("committee", "GET", "/coverage/gaps", params=params)).json()["items"] == []
        # headcounts speak of rounds for all
        assert (await call("committee", "GET", "/headcounts", params={"area": A})).json()["items"][0][
            "screened"
        ] is None
        # who has got the tag since comes along by night
        await call("committee", "PATCH", f"/households/{first.id}", json=tagged)
        assert (await keep_rounds(database))["households"] == 1
        total = (await call("committee", "GET", "/coverage", params=params)).json()["total"]
        assert total["households_done"] == 2

    async def test_a_list_names_households_of_its_division(self, call: Caller, database: Database) -> None:
        first, _ = await two_homes(call, database)
        (other,) = await make_homes(database, B, stair_of("1", "1", ["101"]))
        ids = [str(first.id), str(other.id)]
        round_id = await open_round(call, "committee", A, target="list", household_ids=ids)
        estimate = (await call("committee", "GET", f"/rounds/{round_id}")).json()["estimate"]
        assert estimate["doors"] == 1
        empty = content(division_code=A, is_draft=True, target="list")
        draft = (await call("committee", "POST", "/rounds", json=empty)).json()["id"]
        refused = await call("committee", "POST", f"/rounds/{draft}/publish", json={"minutes": 0})
        assert (refused.status_code, refused.json()["code"]) == (422, "round_nobody")

    async def test_a_committee_chooses_a_drafts_households_by_what_it_knows_of_them(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
        homes += await make_homes(database, A, stair_of("4", "1", ["101", "201"]))
        draft = await call(
            "committee",
            "POST",
            "/rounds",
            json=content(target="list", questions=[HEATING]) | {"division_code": A, "is_draft": True},
        )
        path = f"/rounds/{draft.json()['id']}/households"

        async def change(who: str = "committee", **what: Any) -> Any:
            answer = await call(who, "POST", path, json={"community_code": A, **what})
            return answer.json() if answer.is_success else answer.status_code

        async def listed() -> list[str]:
            items = (await call("committee", "GET", path, params={"community_code": A})).json()["items"]
            assert all(one["head_masked"].endswith("*") for one in items)
            return [one["address"] for one in items]

        assert await change(all_of={"building": "3", "stair": "2"}) == {
            "changed": 3, "households": 3, "persons": 6, "unknown": [],
        }  # fmt: skip
        assert (await change(household_ids=[str(homes[0].id)], is_removed=True))["households"] == 2
        written = ["4号楼 1单元 101室", "4-1-201", "9-9-999"]
        assert await change(addresses=written) == {"changed": 2, "households": 4, "persons": 8, "unknown": ["9-9-999"]}
        assert (await change(all_of={"q": "201"}, is_removed=True))["changed"] == 2
        assert await listed() == ["3号楼 2单元 102", "4号楼 1单元 101"]
        # what is reckoned is what is on it, and saving the draft leaves it as it is
        asked = {"division_code": A, "target": "list", "round_id": draft.json()["id"], "questions": [HEATING]}
        estimate = await call("committee", "POST", "/rounds/estimate", json=asked)
        assert (estimate.json()["doors"], estimate.json()["persons"]) == (2, 4)
        kept = content(target="list", questions=[HEATING])
        assert (await call("committee", "PUT", path.removesuffix("/households"), json=kept)).is_success
        for who, status in (("worker", 403), ("other_committee", 404), ("far_committee", 404), ("viewer", 403)):
            assert await change(who, all_of={}) == status, who
        minutes = (await call("committee", "GET", path.removesuffix("/households"))).json()["estimate"]["minutes"]
        published = path.replace("/households", "/publish")
        assert (await call("committee", "POST", published, json={"minutes": minutes})).is_success
        assert len(await listed()) == 2

    async def test_the_list_of_a_running_round_changes_and_phones_follow(
        self, call: Caller, database: Database
    ) -> None:
        homes = await make_homes(database, A, stair_of("3", "2", ["101", "102", "201"]))
        area = await make_area(call, homes, "worker")
        ids = [str(home.id) for home in homes]
        round_id = await open_round(call, "committee", A, target="list", household_ids=ids[:2])
        path = f"/rounds/{round_id}/households"

        async def change(who: str = "committee", **what: Any) -> tuple[int, Any]:
            answer = await call(who, "POST", path, json={"community_code": A, **what})
            return answer.status_code, answer.json()

        async def carried() -> tuple[int, list[str]]:
            (held,) = (await call("worker", "GET", "/sync/areas")).json()
            revision = next(one["revision"] for one in held["rounds"] if one["id"] == round_id)
            known = await call("worker", "GET", f"/sync/rounds/{round_id}", params={"area_id": area["id"]})
            assert known.json()["revision"] == revision
            return revision, known.json()["targets"]

        times = [f"2026-02-01T{hour}:00:00+08:00" for hour in ("09", "14", "19")]
        misses = [door_visit(homes[1], round_id, "no_answer", recorded_at=at) for at in times]
        await push(call, "worker", door_visit(homes[0], round_id), *misses)
        revision, targets = await carried()
        assert targets == ids[:2]
        status, done = await change(household_ids=[ids[2]])
        assert (status, done["changed"], done["households"]) == (200, 1, 3)
        assert await carried() == (revision + 1, ids)
        # nothing new: no phone loads anything again
        assert (await change(household_ids=[ids[2]]))[1]["changed"] == 0
        assert (await carried())[0] == revision + 1

        # who has answered and where a notice is due go: what was recorded stays, coverage and notices go by the list
        async def notices() -> tuple[int, int]:
            flags = (await call("committee", "GET", "/coverage/flags", params={"area": A})).json()["door_notices"]
            due = (await call("committee", "GET", "/door-notices", params={"community_code": A})).json()["items"]
            return flags, len(due)

        assert await notices() == (1, 1)
        assert (await change(household_ids=ids[:2], is_removed=True))[1]["households"] == 1
        assert await carried() == (revision + 2, ids[2:])
        visits = (await call("committee", "GET", "/door-visits", params={"community_code": A})).json()["items"]
        assert len(visits) == 4
        coverage = (await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})).json()["total"]
        assert (coverage["households"], coverage["households_done"]) == (1, 0)
        assert await notices() == (0, 0)
        # recorded on a phone that has not heard yet: taken, and counted when the door is back on the list
        spoken = answered(homes[1], round_id, nobody_came(homes[1]))
        assert (await push(call, "worker", spoken))[0]["status"] == "accepted"
        await change(household_ids=ids[:2])
        coverage = (await call("committee", "GET", "/coverage", params={"area": A, "round": round_id})).json()["total"]
        assert (coverage["households"], coverage["households_done"]) == (3, 2)
        trail = (await call("committee", "GET", "/audit-entries", params={"community_code": A})).json()["items"]
        assert trail[0]["action"] == "put_on_round_list"

        assert (await change(all_of={}, is_removed=True))[1]["code"] == "round_nobody"
        assert len((await carried())[1]) == 3
        for who, wanted in (("worker", 403), ("other_committee", 404), ("far_committee", 404), ("viewer", 403)):
            assert (await change(who, all_of={}))[0] == wanted, who
        await call("committee", "POST", f"/rounds/{round_id}/close")
        assert (await change(household_ids=[ids[0]]))[1]["code"] == "round_already_closed"

    async def test_the_newest_round_for_all_is_what_coverage_means_by_itself(self, call: Caller) -> None:
        whole = await make_round(call)
        await open_round(call, "committee", A)
        assert (await call("committee", "GET", "/coverage", params={"area": A})).json()["round"]["id"] != whole


class TestDaily:
    async def test_each_day_begins_with_nothing_done(self, call: Caller, database: Database) -> None:
        first, _ = await two_homes(call, database)
        whole = await open_round(call, rhythm="daily")
        days = (await call("city", "GET", "/rounds", params={"days_of": whole})).json()["items"]
        assert [day["starts_on"] for day in days] == [
            (today() + timedelta(days=n)).isoformat() for n in (3, 2, 1, 0)
        ]  # fmt: skip
        (listed,) = (await call("city", "GET", "/rounds")).json()["items"]
        assert (listed["id"], listed["current_id"]) == (whole, days[-1]["id"])
        (area,) = (await call("worker", "GET", "/sync/areas")).json()
        assert [(r["id"], r["is_day"]) for r in area["rounds"]] == [(day["id"], True) for day in reversed(days)]
        day, next_day = days[-1]["id"], days[-2]["id"]
        form = (await call("worker", "GET", f"/sync/rounds/{day}", params={"area_id": area["id"]})).json()
        assert len(form["questions"]) == 5
        (result,) = await push(call, "worker", answered(first, day, nobody_came(first), recorded_at=now().isoformat()))
        assert result["status"] == "accepted", result
        (result,) = await push(call, "worker", door_visit(first, whole))
        assert (result["status"], result["code"]) == ("rejected", "round_not_found")
        for params, done in (({"area": A}, 1), ({"area": A, "round": whole}, 1), ({"area": A, "round": next_day}, 0)):
            total = (await call("committee", "GET", "/coverage", params=params)).json()["total"]
            assert total["households_done"] == done, params
        assert (await counts(call, whole, area=A)) == {("back", "false"): 2}
        async with database.session(EVERYWHERE) as session:
            await session.execute(text("UPDATE screening_round SET starts_on = starts_on - 1, ends_on = ends_on - 1"))
        assert (await keep_rounds(database))["days"] == 1
        closed = (await call("city", "GET", "/rounds", params={"days_of": whole, "status": "closed"})).json()["items"]
        assert [one["id"] for one in closed] == [day]
        assert (await call("city", "POST", f"/rounds/{whole}/close")).json()["status"] == "closed"
        left = (await call("city", "GET", "/rounds", params={"days_of": whole, "status": "open"})).json()["items"]
        assert left == []


class TestEnding:
    async def test_answers_end_on_their_day_and_figures_stay(self, call: Caller, database: Database) -> None:
        first, _ = await two_homes(call, database)
        round_id = await open_round(call)
        said = [*nobody_came(first), {"question": "masks", "value": 7}, {"question": "wish", "value": "一句话"}]
        await push(call, "worker", answered(first, round_id, said))
        before = await counts(call, round_id, area=A)
        deleted = await retention.run_retention(database, today() + timedelta(days=3650))
        assert ("answers", 1) in {(one.kind.value, one.count) for one in deleted}
        assert await counts(call, round_id, area=A) == before
        async with database.session(EVERYWHERE) as session:
            row = (await session.execute(text("SELECT answers, texts_sealed FROM door_answer"))).one()
        assert (row.answers, row.texts_sealed) == ([], None)
        assert await retention.run_retention(database, today() + timedelta(days=3650)) == []
