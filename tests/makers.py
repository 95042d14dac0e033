"""Makers: a community with doors and people, an area somebody holds, an open round."""

import json
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from app.audit.service import SYSTEM
from app.auth.models import Account, Device, Role, RoleGrant
from app.core import sealed_files
from app.core.clock import now, today
from app.core.db import EVERYWHERE, Database
from app.core.ids import new_id
from app.core.resident_id import check_character
from app.people import registry
from app.people.registry import DwellingInput, HouseholdInput, PersonInput
from tests.personas import CITY, A, Caller, Persona

BEGAN = "2026-01-20"
"""The first day of the rounds that tests make, before what they record at doors."""


@dataclass(slots=True)
class Home:
    """A household as tests know it."""

    id: UUID
    dwelling_id: UUID
    room: str
    residents: list[UUID] = field(default_factory=list)


def invented_id(number: int) -> str:
    """An ID number that checks, of the `number`th invented person; 379999 is no district."""
    digits = f"379999{1940 + number % 80}{number % 12 + 1:02d}{number % 28 + 1:02d}{number // 80 % 1000:03d}"
    return digits + check_character(digits)


def stair_of(building: str, stair: str, rooms: list[str], persons: int = 2) -> list[DwellingInput]:
    """Doors of a stair, `persons` people behind each."""
    return [
        DwellingInput(
            building=building,
            stair=stair,
            floor=int(room[:-2]),
            room=room,
            households=[
                HouseholdInput(
                    head_name=f"甲{building}{stair}{room}",
                    phone="13812345678",
                    persons=[
                        PersonInput(
                            name=f"甲{building}{stair}{room}", relation="户主", sex=1, birth_on=date(1960, 5, 1)
                        ),
                        *(
                            PersonInput(name=f"乙{n}{building}{stair}{room}", relation="配偶", sex=2)
                            for n in range(persons - 1)
                        ),
                    ],
                )
            ],
        )
        for room in rooms
    ]


async def make_homes(database: Database, community: str, doors: list[DwellingInput]) -> list[Home]:
    """Put doors into a community's registry; answers its households by room."""
    async with database.session(EVERYWHERE) as session:
        await registry.put_dwellings(session, SYSTEM, community, doors)
        rows = await session.execute(
            text(
                "SELECT h.id, h.dwelling_id, d.room, array_agg(r.id ORDER BY r.id) FILTER (WHERE r.id IS NOT NULL) "
                "FROM household h JOIN dwelling d ON d.community_code = h.community_code AND d.id = h.dwelling_id "
                "LEFT JOIN resident r ON r.community_code = h.community_code AND r.household_id = h.id "
                "WHERE h.community_code = :c GROUP BY 1, 2, 3, d.sort_key ORDER BY d.sort_key"
            ),
            {"c": community},
        )
        return [Home(row[0], row[1], row[2], row[3] or []) for row in rows]


async def make_area(call: Caller, homes: list[Home], holder: str | None, community: str = A) -> dict[str, Any]:
    """A responsibility area over the homes' doors, held by a persona or open."""
    body: dict[str, Any] = {
        "community_code": community,
        "name": "一单元",
        "dwelling_ids": [str(home.dwelling_id) for home in homes],
        "is_open": holder is None,
    }
    if holder is not None:
        body["assign_to"] = str(call.personas[holder].id)
    committee = {A: "committee"}.get(community, "other_committee")
    answer = await call(committee, "POST", "/responsibility-areas", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def make_round(call: Caller, code: str = CITY, who: str = "city") -> str:
    """An open round's id."""
    body = {
        "division_code": code,
        "title": "首轮排查",
        "starts_on": BEGAN,
        "ends_on": (today() + timedelta(days=3)).isoformat(),
    }
    cost = (await call(who, "POST", "/rounds/estimate", json={"division_code": code})).json()
    answer = await call(who, "POST", "/rounds", json=body | {"minutes": cost["minutes"]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def door_visit(home: Home, round_id: str, outcome: str = "answered_all", **extra: Any) -> dict[str, Any]:
    """A `screening.record_door_visit` command: everybody well unless told otherwise."""
    persons = extra.pop("persons", None)
    if persons is None:
        persons = [{"resident_id": str(r), "status": "well"} for r in home.residents] if "answered" in outcome else []
    payload = {"household_id": str(home.id), "round_id": round_id, "outcome": outcome, "persons": persons}
    payload |= {key: extra.pop(key) for key in ("note", "again_reason") if key in extra}
    return command("screening.record_door_visit", payload, **extra)


def care_visit(home: Home, **extra: Any) -> dict[str, Any]:
    """A `care.record_visit` command."""
    keys = ("condition", "needs", "note", "next_on", "resident_id")
    payload = {"household_id": str(home.id), "condition": "well", "needs": []}
    payload |= {key: extra.pop(key) for key in keys if key in extra}
    return command("care.record_visit", payload, **extra)


def command(name: str, payload: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """A command envelope with a fresh id."""
    at = "2026-02-01T09:00:00+08:00"
    return {"id": str(new_id()), "name": name, "recorded_at": at, "epoch": 1, "payload": payload} | extra


async def push(call: Caller, who: str, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    """Push commands as a persona; answers the results."""
    body = {"device_id": str(call.personas[who].device_id), "commands": list(commands)}
    answer = await call(who, "POST", "/sync/commands", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def report_by_code(call: Caller, url: str, room: str, surname: str, **answers: Any) -> httpx.Response:
    """Scan a household's code, pass its challenge and send answers (everybody well where nothing is said)."""
    asked = await call.http.post("/h/" + url.rsplit("/", 1)[1], data={"room": room, "surname": surname})
    assert asked.status_code == 200, asked.text
    return await call.http.post("/h/report", data=answers_on(asked.text) | answers)


def answers_on(page: str) -> dict[str, Any]:
    """What the questions' form sends when nobody changes anything."""
    ticket = re.findall(r'name="ticket" value="([0-9a-f]+)"', page)[0]
    persons = set(re.findall(r'name="status_(\d+)"', page))
    return {"ticket": ticket, "names": "", "note": "", **{f"status_{at}": "well" for at in persons}}


def jpeg(width: int = 640, height: int = 480, *beside: tuple[int, bytes], behind: bytes = b"") -> bytes:
    """The outline of a JPEG with segments `beside` the picture (marker, content) and bytes behind its end."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content

    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    parts = [segment(marker, content) for marker, content in beside]
    parts += [segment(0xDB, bytes(65)), segment(0xC0, frame), segment(0xC4, bytes(20)), segment(0xDA, bytes(6))]
    return b"\xff\xd8" + b"".join(parts) + b"\x12\xff\x00\x34\xff\xd0\x56" + b"\xff\xd9" + behind


async def take_photo(call: Caller, who: str | None, home: Home, content: bytes, **params: Any) -> httpx.Response:
    """Send a photo as a phone does; under `id`, if given, again."""
    query = {"household_id": str(home.id), "taken_at": "2026-02-01T09:00:00+08:00"}
    photo_id = params.pop("id", None) or new_id()
    headers = {"Content-Type": "image/jpeg"}
    return await call(who, "PUT", f"/photos/{photo_id}", params=query | params, content=content, headers=headers)


def sealed_file(content: dict[str, Any]) -> bytes:
    """A file of unsent records as a phone seals it, by another implementation than the phone's."""
    name, point = sealed_files.public_key()
    head = sealed_files.HEAD + name.encode() + b"\n"
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    suite = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    return head + suite.encrypt(json.dumps(content).encode(), public, head)


async def make_workers(database: Database, call: Caller, count: int, community: str = A) -> list[str]:
    """So many grid workers of a community; answers the names under which `call` knows them."""
    made = [Persona(f"worker-{n}", 1000 + n, ((Role.GRID_WORKER, community),)) for n in range(count)]
    async with database.session(EVERYWHERE) as session:
        session.add_all(Account(id=p.id, kind="person", login=p.name, name=p.name) for p in made)
        await session.flush()
        session.add_all(Device(account_id=p.id, id=p.device_id, name="test") for p in made)
        session.add_all(RoleGrant(account_id=p.id, role=Role.GRID_WORKER, division_prefix=community) for p in made)
    call.personas = call.personas | {p.name: p for p in made}
    return [p.name for p in made]


async def make_post(call: Caller, who: str = "committee", community: str = A, **changes: Any) -> dict[str, Any]:
    """A published post of tomorrow with two places."""
    at = now() + timedelta(days=1)
    body: dict[str, Any] = {
        "community_code": community, "title": "南门值守", "kind": "checkpoint", "duty": "测温登记", "place": "南门",
        "starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=4)).isoformat(), "wanted_count": 2,
    }  # fmt: skip
    answer = await call(who, "POST", "/posts", json=body | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
