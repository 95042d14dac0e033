"""The work of a community: a round that is somewhere between begun and done, and care for who needs it."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.care.service import NOTE as CARE_NOTE
from app.core import crypto
from app.core.clock import SHANGHAI, day_start
from app.core.ids import compose
from app.screening.models import Outcome
from app.screening.service import NOTE as DOOR_NOTE
from app.simulation.community import Area, Community, Home, Id, Row, array_of
from app.simulation.draws import Weighted
from app.simulation.plan import CommunityPlan

COLUMNS = {
    "door_visit": (
        "community_code", "id", "round_id", "household_id", "responsibility_area_id", "epoch", "outcome", "persons",
        "note_sealed", "actor_id", "actor_name", "recorded_at", "received_at", "flag_code", "delete_by", "version",
    ),
    "person_check": (
        "community_code", "round_id", "resident_id", "household_id", "visit_id", "status", "temperature_c", "symptoms",
        "recorded_at", "delete_by", "version",
    ),
    "household_screening": (
        "community_code", "round_id", "household_id", "outcome", "attempts", "last_visit_id", "last_at", "last_by",
        "version",
    ),
    "screening_tally": (
        "community_code", "round_id", *(outcome.value for outcome in Outcome), "persons_done", "persons_symptoms",
        "visit_count",
    ),
    "care_visit": (
        "community_code", "id", "household_id", "resident_id", "condition", "needs", "note_sealed", "next_on",
        "actor_id", "actor_name", "recorded_at", "received_at", "delete_by", "version",
    ),
    "care_plan": (
        "community_code", "household_id", "last_visit_id", "resident_id", "condition", "needs", "last_at", "next_on",
        "version",
    ),
    "expected_headcount": (
        "community_code", "id", "source", "as_of", "households", "residents", "received_at", "is_newest",
    ),
}  # fmt: skip
"""Which columns are written; those left out have the value that the database gives."""

VERSION = 2
ROUND_DAYS = 2
"""The round began so many days before the day it is: all its visits lie in days that are over."""
_DAY_BEGINS, _DAY_LASTS = timedelta(hours=8, minutes=30), timedelta(hours=12)
_UNTIL_AGAIN = timedelta(hours=3, minutes=20)
_ANSWERS = Weighted([
    ("answered_all", 86.0), ("answered_part", 10), ("refused", 2.2), ("vacant", 0.7), ("wrong_address", 0.9),
    ("unsafe", 0.2),
])  # fmt: skip
_SYMPTOMS = (("fever",), ("fever", "cough"), ("cough",), ("sore_throat",), ("fatigue", "cough"), ("diarrhea",))
_DOOR_NOTES = ("说话含糊，请复核", "家属代答", "外地返回，已居家", "要求不再敲门，改打电话")
_NEEDED = {"living_alone_elder": 0.6, "household_in_hardship": 0.5, "disabled": 0.3, "chronic_illness": 0.08}
_CONDITIONS = Weighted([("well", 78.0), ("needs_attention", 15), ("not_reached", 7)])
_NEEDS = (
    ["medicine"],
    ["food"],
    ["medicine", "medical_visit"],
    ["company"],
    ["repair"],
    ["food", "supplies"],
    ["money"],
)
_CARE_NOTES = ("降压药还有三天的量", "想请人修一下水管", "精神好，愿意多聊聊", "米面够两周，缺青菜", "约好下周陪同复查")


class Work:
    """Fills in what has been done in one community; records of doors and of care are kept so many days."""

    def __init__(
        self, plan: CommunityPlan, made: Community, round_id: UUID, on: date, door_days: int, care_days: int
    ) -> None:
        self.plan, self.made, self.round_id, self.on = plan, made, round_id.hex, on
        self._door_days, self._care_days = timedelta(days=door_days), timedelta(days=care_days)
        self.rows: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self._draw = plan.draw("work")
        self._holders = [(area.holder_id, area.holder_name) for area in made.areas if area.holder_id]
        self._tally = dict.fromkeys(COLUMNS["screening_tally"][2:], 0)

    def do(self) -> dict[str, list[Row]]:
        """The rows of all work; each has version 2."""
        draw = self._draw
        share = draw.next()
        # of a hundred communities eight have not begun, fifteen are through, the others are on their way
        ahead = 0.0 if share < 0.08 else 1.0 if share > 0.85 else 0.15 + draw.next() * 0.8
        for area in self.made.areas:
            if area.holder_id is None:
                continue
            progress = ahead if ahead in (0.0, 1.0) else min(ahead * (0.6 + draw.next() * 0.8), 1.0)
            due = int(len(area.homes) * progress)
            for at, home in enumerate(area.homes[:due]):
                self._visit(area, home, at / len(area.homes))
            for home in area.homes:
                self._care(area, home)
        if self._tally["visit_count"]:
            self.rows["screening_tally"].append((self.plan.code, self.round_id, *self._tally.values()))
        self._expect()
        return self.rows

    def touched(self) -> list[Id]:
        """The areas whose phones have something to fetch from it."""
        seen = {row[4] for row in self.rows["door_visit"]}
        homes = {row[2] for row in self.rows["care_visit"]}
        return [area.id for area in self.made.areas if area.id in seen or any(h.id in homes for h in area.homes)]

    def _moments(self, through: float, knocks: int) -> list[datetime]:
        """When somebody knocked, so far through the round's days: again hours later, in the evening at the latest."""
        day, part = divmod(through * ROUND_DAYS, 1)
        begins = day_start(self.on - timedelta(days=ROUND_DAYS - int(day))) + _DAY_BEGINS
        found = []
        for number in range(knocks):
            since = min(_DAY_LASTS * part + number * _UNTIL_AGAIN, _DAY_LASTS)
            found.append(begins + since + timedelta(minutes=number, milliseconds=self._draw.below(50_000)))
        return found

    def _visit(self, area: Area, home: Home, through: float) -> None:
        """Knock until somebody opens or it is enough for these days; then where the household stands."""
        draw = self._draw
        attempts = 0
        while attempts < 3 and draw.next() < (0.29, 0.42, 0.5)[attempts]:
            attempts += 1
        gives_up = attempts == 3 or (attempts > 0 and draw.next() < 0.45)
        if attempts == 0 and draw.next() < 0.02:
            return
        moments = self._moments(through, attempts + (not gives_up))
        for at in moments[:attempts]:
            visit, by = self._knock(area, home, "no_answer", at, [])
        outcome = "no_answer"
        if not gives_up:
            outcome = draw.pick(_ANSWERS)
            if outcome == "answered_part" and len(home.residents) == 1:
                outcome = "answered_all"
            answers = self._answers(home, outcome) if outcome.startswith("answered") else []
            visit, by = self._knock(area, home, outcome, moments[-1], answers)
            for answer in answers:
                if answer["status"] != "unknown":
                    self._check(home, visit, moments[-1], answer)
        self._tally[outcome] += 1
        self.rows["household_screening"].append(
            (self.plan.code, self.round_id, home.id, outcome, attempts, visit, moments[-1], by, VERSION)
        )

    def _knock(
        self, area: Area, home: Home, outcome: str, at: datetime, answers: list[dict[str, Any]]
    ) -> tuple[Id, str]:
        draw = self._draw
        actor, name, flag = area.holder_id, area.holder_name, None
        if len(self._holders) > 1 and draw.next() < 0.002:
            # somebody helped out next door: kept and counted, and somebody looks
            other = draw.one_of(self._holders)
            if other[0] != actor:
                (actor, name), flag = other, "not_assigned"
        visit = self._phone_id(at)
        note = draw.one_of(_DOOR_NOTES) if draw.next() < 0.006 else None
        received = at + timedelta(seconds=draw.below(90) if draw.next() < 0.8 else draw.below(7200))
        self.rows["door_visit"].append((
            self.plan.code, visit, self.round_id, home.id, area.id, 1, outcome, orjson.dumps(answers).decode(),
            crypto.seal_text(note, DOOR_NOTE), actor, name, at, received, flag,
            received.astimezone(SHANGHAI).date() + self._door_days, VERSION,
        ))  # fmt: skip
        self._tally["visit_count"] += 1
        return visit, name

    def _phone_id(self, at: datetime) -> Id:
        """A UUIDv7 as a phone makes it."""
        tail = int(self._draw.next() * 2**37) << 37 | int(self._draw.next() * 2**37)
        return f"{compose(round(at.timestamp() * 1000), tail):032x}"

    def _answers(self, home: Home, outcome: str) -> list[dict[str, Any]]:
        """What was learnt of each; in part means of one at least and not of all."""
        draw = self._draw
        missing: set[int] = set()
        if outcome == "answered_part":
            missing = {at for at in range(len(home.residents)) if draw.next() < 0.45}
            if not missing:
                missing = {draw.below(len(home.residents))}
            if len(missing) == len(home.residents):
                missing.remove(draw.below(len(home.residents)))
        answers = []
        for at, resident in enumerate(home.residents):
            status, temperature = "unknown", None
            symptoms: tuple[str, ...] = ()
            if at not in missing:
                share = draw.next()
                status = "well" if share < 0.97 else "away" if share < 0.994 else "symptoms"
                if status == "symptoms":
                    symptoms = draw.one_of(_SYMPTOMS)
                    temperature = draw.between(373, 389) / 10 if "fever" in symptoms else 36.8
                elif status == "well" and draw.next() < 0.8:
                    temperature = draw.between(361, 369) / 10
            answers.append({
                "resident_id": UUID(resident), "status": status, "temperature_c": temperature,
                "symptoms": list(symptoms), "risk_area": None,
            })  # fmt: skip
        return answers

    def _check(self, home: Home, visit: Id, at: datetime, answer: dict[str, Any]) -> None:
        self._tally["persons_done"] += 1
        self._tally["persons_symptoms"] += answer["status"] == "symptoms"
        self.rows["person_check"].append((
            self.plan.code, self.round_id, answer["resident_id"].hex, home.id, visit, answer["status"],
            answer["temperature_c"], array_of(answer["symptoms"]), at, at.astimezone(SHANGHAI).date() + self._door_days,
            VERSION,
        ))  # fmt: skip

    def _care(self, area: Area, home: Home) -> None:
        """Somebody was there within the last two weeks and said when they come again; some have not."""
        draw = self._draw
        if not any(tag in home.family.tags and draw.next() < likely for tag, likely in _NEEDED.items()):
            return
        oldest = max(range(len(home.residents)), key=lambda at: home.family.members[at].age)
        ago = draw.between(1, 13)
        at = day_start(self.on - timedelta(days=ago)) + _DAY_BEGINS + timedelta(milliseconds=draw.below(36_000_000))
        condition = draw.pick(_CONDITIONS)
        needs = draw.one_of(_NEEDS) if condition == "needs_attention" else []
        note = draw.one_of(_CARE_NOTES) if draw.next() < 0.3 else None
        again = self.on + timedelta(days=draw.one_of((3, 7, 7, 14)) - ago)
        visit, resident = self._phone_id(at), home.residents[oldest]
        self.rows["care_visit"].append((
            self.plan.code, visit, home.id, resident, condition, array_of(needs), crypto.seal_text(note, CARE_NOTE),
            again, area.holder_id, area.holder_name, at, at + timedelta(seconds=draw.below(600)),
            self.on - timedelta(days=ago) + self._care_days, VERSION,
        ))  # fmt: skip
        self.rows["care_plan"].append(
            (self.plan.code, home.id, visit, resident, condition, array_of(needs), at, again, VERSION)
        )

    def _expect(self) -> None:
        """What civil affairs say there should be, for seven communities in ten: seldom what is registered."""
        draw = self._draw
        if draw.next() >= 0.7:
            return
        tallies = self.made.tallies
        households = round(tallies["households"] * (0.97 + draw.next() * 0.08))
        residents = round(tallies["residents"] * (0.97 + draw.next() * 0.08))
        as_of = self.on - timedelta(days=31)
        at = day_start(as_of) + timedelta(hours=17, seconds=self.plan.ordinal)
        self.rows["expected_headcount"].append(
            (self.plan.code, self._phone_id(at), "民政", as_of, households, residents, at, True)
        )
